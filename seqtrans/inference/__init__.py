"""Using trained models: translation, tagging, scoring, rescoring, generation and output formats."""
