"""Error rates by edit distance: the base of word and character error rate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from seqtrans.scoring.contract import Score
from seqtrans.scoring.edit_distance import edit_distance
from seqtrans.scoring.sentence_metric import SentenceMetric


class ErrorRate(SentenceMetric):
    """100 * (edits of all lines) / (symbols of all references), in percent; above 100 where much is inserted.

    Edits are those of Levenshtein: insertions, deletions and substitutions, each counting 1. If a line has several
    references, the one with the fewest edits counts, and the longest of those with equally few. If the references
    have no symbols at all, the rate is 0 for empty hypotheses and 100 for others, as in sacreBLEU's TER.
    """

    higher_is_better = False
    unit: str
    """What `symbols` returns, in the plural, such as "words"; the details of a score name it."""

    @abstractmethod
    def symbols(self, line: str) -> Sequence[str]:
        """The words or characters of a line."""

    def statistics(self, hypothesis: str, references: Sequence[str]) -> tuple[float, ...]:
        """The number of edits, and of symbols in the reference."""
        symbols = self.symbols(hypothesis)
        candidates = [self.symbols(reference) for reference in references]
        edits, negative_length = min((edit_distance(symbols, each), -len(each)) for each in candidates)
        return edits, -negative_length

    def score(self, sums: Sequence[float]) -> Score:
        """The rate from the sums of edits and of reference symbols."""
        edits, length = int(sums[0]), int(sums[1])
        rate = edits / length if length else float(edits > 0)
        return Score(100 * rate, {"edits": edits, f"ref_{self.unit}": length})
