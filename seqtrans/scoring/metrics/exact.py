"""Exact match: the share of lines that equal their reference."""

from __future__ import annotations

from collections.abc import Sequence

from seqtrans.scoring.contract import Score
from seqtrans.scoring.sentence_metric import SentenceMetric


class Exact(SentenceMetric):
    """100 * (lines equal to one of their references) / lines, in percent; nothing is normalised.

    Where each line is a word (grapheme-to-phoneme conversion, inflection, transliteration), this is the word accuracy
    of publications, and 100 minus it is their "word error rate".
    """

    name = "exact"
    label = "exact"
    higher_is_better = True
    described = "unit:line|norm:none"

    def statistics(self, hypothesis: str, references: Sequence[str]) -> tuple[float, ...]:
        """1 for a match, and 1 for the line."""
        return float(hypothesis in references), 1

    def score(self, sums: Sequence[float]) -> Score:
        """The rate from the sums of matches and of lines."""
        matches, lines = int(sums[0]), int(sums[1])
        return Score(100 * matches / lines, {"matches": matches, "lines": lines})


PLUGIN = Exact
