"""How finished hypotheses are ranked, and how far an unfinished one could still come.

Shapes: any; numbers and arrays of numbers alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqtrans.settings import bounded, one_of

Numbers = NDArray[np.float64] | Any


@dataclass(frozen=True)
class Ranking:
    """score = log-probability / lp(L) + word_reward * L + coverage_penalty * c, where L counts EOS.

    The two parts that are added may be left out (0), and so may the division (`length_penalty` 0).
    """

    length_penalty: float = bounded(1.0, 0, 10)
    """alpha: 0 ranks by log-probability, 1 by log-probability a subword."""
    length_rule: str = one_of("power", "power", "gnmt")
    """lp(L): L^alpha, or ((5 + L) / 6)^alpha (Wu et al. 2016, equation 14)."""
    word_reward: float = bounded(0.0, -100, 100)
    """Added for each subword (He et al. 2016, section 3.3)."""
    coverage_penalty: float = bounded(0.0, 0, 100)
    """beta, of c: the sum over source subwords of log(min(attention received, 1)) (Wu et al. 2016, equation 14)."""

    def score(self, log_prob: Numbers, length: Numbers, coverage: Numbers = 0.0) -> Numbers:
        """What a finished hypothesis of `length` subwords, EOS included, is worth."""
        return log_prob / self._lp(length) + self.word_reward * length + self.coverage_penalty * coverage

    def bound(self, log_prob: Numbers, length: Numbers, longest: Numbers) -> Numbers:
        """The most that an unfinished hypothesis can score, if it ends with `length` to `longest` subwords.

        Log-probabilities only fall, the longest divides them by most, and c is never above 0.
        """
        reward = np.maximum(self.word_reward * length, self.word_reward * longest)
        return log_prob / self._lp(longest) + reward

    def _lp(self, length: Numbers) -> Numbers:
        base = (5 + length) / 6 if self.length_rule == "gnmt" else length
        return np.asarray(base, dtype=np.float64) ** self.length_penalty
