"""What every format is given."""

from __future__ import annotations

from dataclasses import dataclass

from seqtrans.alignment import subword_alignment, word_alignment
from seqtrans.errors import UsageError
from seqtrans.model.file import TrainedModel
from seqtrans.search.hypothesis import Hypothesis
from seqtrans.translation import Translation

ALIGNMENTS = ("none", "subwords", "words")


@dataclass(frozen=True)
class Written:
    """The translations of one line, and how they are wanted."""

    number: int
    """Of the line, from 0."""
    translation: Translation
    model: TrainedModel
    alignment: str
    """One of `ALIGNMENTS`."""

    def pharaoh(self, hypothesis: Hypothesis) -> str:
        """The wanted alignment as `source-target` pairs, positions from 0."""
        source = self.translation.source_ids
        links = subword_alignment(hypothesis, len(source))
        if self.alignment == "words":
            sides = (self.model.source_subwords, source), (self.model.target_subwords, hypothesis.tokens)
            links = word_alignment(links, *sides)
        return " ".join(f"{s}-{t}" for s, t in sorted(links))


def check_alignment(name: str) -> None:
    """Refuse an unknown kind of alignment.

    Raises:
        UsageError: the name is not one of `ALIGNMENTS`.
    """
    if name not in ALIGNMENTS:
        raise UsageError(f"--alignment must be one of {', '.join(ALIGNMENTS)}, not '{name}'")
