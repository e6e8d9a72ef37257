"""Beam search, exact search and sampling: from a model's predictions to hypotheses."""
