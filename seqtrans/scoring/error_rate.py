"""Error rates by edit distance: the base of word and character error rate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from seqtrans.scoring.contract import Score
from seqtrans.scoring.edit_distance import edit_distance
from seqtrans.scoring.sentence_metric import SentenceMetric


class ErrorRate(SentenceMetric):
    """100 * (edits of all lines) / (symbols of all references), in percent; above 100 where much is inserted.

    Edits are Levenshtein's: insertions, deletions, substitutions, each counting 1. Of several references a
    line is held against the one that it needs fewest edits to reach, the longest of these. References without
    any symbol give 0 where nothing was inserted and 100 where something was, as sacreBLEU's TER does.
    """

    higher_is_better = False
    unit: str
    """The plural of what is counted."""

    @abstractmethod
    def symbols(self, line: str) -> Sequence[str]:
        """What a line is a sequence of."""

    def statistics(self, hypothesis: str, references: Sequence[str]) -> tuple[float, ...]:
        """Edits, and symbols of the reference."""
        symbols = self.symbols(hypothesis)
        candidates = [self.symbols(reference) for reference in references]
        edits, negative_length = min((edit_distance(symbols, each), -len(each)) for each in candidates)
        return edits, -negative_length

    def score(self, sums: Sequence[float]) -> Score:
        """The rate from the sums of edits and of reference symbols."""
        edits, length = int(sums[0]), int(sums[1])
        rate = edits / length if length else float(edits > 0)
        return Score(100 * rate, {"edits": edits, f"ref_{self.unit}": length})
