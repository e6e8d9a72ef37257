"""What a search finds, and how it is told to search."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Hypothesis:
    """One translation as subword ids, without BOS and EOS."""

    tokens: list[int]
    score: float
    """What hypotheses are ranked by: log_prob / L^alpha, with L counting EOS."""
    log_prob: float
    """Sum of the natural log-probabilities, EOS included."""
    token_log_probs: list[float]
    """One for each token, and one for EOS."""
    alignment: Tensor | None
    """Attention weights [T, S] over the source subwords and its EOS, where they were asked for; zeros where
    the model has no attention."""


@dataclass(frozen=True)
class SearchOptions:
    """How to search; lengths are in subwords."""

    beam: int = 5
    n_best: int = 1
    length_penalty: float = 1.0
    """alpha: 0 ranks by log-probability, 1 by log-probability a subword."""
    max_ratio: float = 2.0
    max_extra: int = 20
    """A hypothesis has at most max_ratio * source length + max_extra subwords."""
    alignments: bool = False

    def max_length(self, source_length: int) -> int:
        """The longest hypothesis for a source of so many subwords."""
        return int(self.max_ratio * source_length) + self.max_extra
