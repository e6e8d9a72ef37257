"""The score of finished hypotheses, and an upper bound for unfinished ones.

All methods take numbers or arrays of any shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64] | Any


@dataclass(frozen=True)
class Ranking:
    """score = log-probability / lp(L) + word_reward * L + coverage_penalty * c, where L is the length with EOS.

    A `length_penalty` of 0 removes the division. A `word_reward` or `coverage_penalty` of 0 removes that term.
    """

    length_penalty: float = 1.0
    """alpha: 0 ranks by log-probability, 1 by log-probability per subword."""
    length_rule: str = "power"
    """lp(L): L^alpha, or ((5 + L) / 6)^alpha (Wu et al. 2016, equation 14)."""
    word_reward: float = 0.0
    """Added to the score for each subword (He et al. 2016, section 3.3)."""
    coverage_penalty: float = 0.0
    """beta, the weight of c: the sum over source subwords of log(min(attention, 1)) (Wu et al. 2016, equation 14)."""

    def score(self, log_prob: Numbers, length: Numbers, coverage: Numbers = 0.0) -> Numbers:
        """The score of a finished hypothesis of `length` subwords, EOS included; `coverage` is c."""
        return log_prob / self._lp(length) + self.word_reward * length + self.coverage_penalty * coverage

    def bound(self, log_prob: Numbers, length: Numbers, max_length: Numbers) -> Numbers:
        """An upper bound for the score of an unfinished hypothesis that ends with `length` to `max_length` subwords.

        It holds because a log-probability never rises, lp is largest at `max_length`, and c is at most 0. Lengths
        include EOS.
        """
        reward = np.maximum(self.word_reward * length, self.word_reward * max_length)
        return log_prob / self._lp(max_length) + reward

    def _lp(self, length: Numbers) -> Numbers:
        base = (5 + length) / 6 if self.length_rule == "gnmt" else length
        return np.asarray(base, dtype=np.float64) ** self.length_penalty
