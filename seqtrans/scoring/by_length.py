"""Scores by length of the source: which system stays good as sentences grow longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqtrans.errors import DataError
from seqtrans.scoring.contract import Metric, Text
from seqtrans.scoring.evaluation import Evaluation, check_counts, evaluate

LONGEST = (0, 5, 10, 15, 20, 25, 30, 40)
"""The longest length in words of each bucket; the first has the empty lines. One more bucket has all longer lines."""


@dataclass(frozen=True)
class Bucket:
    """The lines whose sources have `shortest` to `longest` words (None: any number from there on).

    `mean` is the mean length of their sources in words.
    """

    shortest: int
    longest: int | None
    mean: float
    evaluation: Evaluation

    @property
    def label(self) -> str:
        """The range of lengths: `6-10`, `41-` without an upper limit, `0` for a single length."""
        if self.shortest == self.longest:
            return str(self.shortest)
        return f"{self.shortest}-{'' if self.longest is None else self.longest}"


def by_length(
    source: Text, systems: Sequence[Text], references: Sequence[Text], metrics: Sequence[Metric]
) -> list[Bucket]:
    """Score each bucket that has lines as a corpus of its own, shortest sources first; whitespace separates words.

    Systems are not tested for significant differences: for every bucket, those would be many tests on few lines.

    Raises:
        DataError: the texts do not have the same number of lines, or none.
    """
    lines = check_counts(systems, references)
    if len(source.lines) != lines:
        raise DataError(
            f"{source.name} has {len(source.lines)} line(s) but {references[0].name} has {lines}; "
            "line i of the source must be what line i of the reference translates"
        )
    lengths = [len(line.split()) for line in source.lines]
    buckets = []
    for shortest, longest in zip([0, *(last + 1 for last in LONGEST)], [*LONGEST, None], strict=True):
        numbers = [
            number
            for number, length in enumerate(lengths)
            if shortest <= length and (longest is None or length <= longest)
        ]
        if numbers:
            parts = [_part(text, numbers) for text in references]
            alone = [evaluate([_part(text, numbers)], parts, metrics) for text in systems]
            evaluation = Evaluation([each.systems[0] for each in alone], len(numbers), None)
            mean = sum(lengths[number] for number in numbers) / len(numbers)
            buckets.append(Bucket(shortest, longest, mean, evaluation))
    return buckets


def _part(text: Text, numbers: Sequence[int]) -> Text:
    return Text(text.name, [text.lines[number] for number in numbers])
