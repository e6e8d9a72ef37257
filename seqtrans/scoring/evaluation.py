"""Scores of all systems by all metrics; several systems are compared with the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqtrans.errors import DataError
from seqtrans.scoring.contract import Estimate, Metric, Resampling, Score, Text


@dataclass(frozen=True)
class Result:
    """The score of one system by one metric; `estimate` is None where systems were not compared."""

    metric: Metric
    score: Score
    signature: str
    estimate: Estimate | None


@dataclass(frozen=True)
class Evaluation:
    """The results of all systems by all metrics."""

    systems: Sequence[tuple[str, Sequence[Result]]]
    """The name of each system, and its result by each metric, in the order of the metrics."""
    lines: int
    """The number of lines of each text."""
    resampling: Resampling | None
    """The bootstrap by which several systems were compared; None for one system."""


def check_counts(systems: Sequence[Text], references: Sequence[Text]) -> int:
    """The number of lines that all texts have.

    Raises:
        DataError: two of them differ, or there are no lines.
    """
    first = references[0]
    for text in (*references, *systems):
        if len(text.lines) != len(first.lines):
            raise DataError(
                f"{text.name} has {len(text.lines)} line(s) but {first.name} has {len(first.lines)}; "
                "line i of a hypothesis must be a translation for line i of its reference"
            )
    if not first.lines:
        raise DataError(f"{first.name} and {systems[0].name} have no lines; there is nothing to score")
    return len(first.lines)


def evaluate(
    systems: Sequence[Text],
    references: Sequence[Text],
    metrics: Sequence[Metric],
    resampling: Resampling | None = None,
) -> Evaluation:
    """Score each system by each metric; several systems are compared with the first by paired bootstrap.

    Raises:
        DataError: the texts do not have the same number of lines, or none.
    """
    lines = check_counts(systems, references)
    hypotheses, reference_lines = [text.lines for text in systems], [text.lines for text in references]
    resampling = (resampling or Resampling()) if len(systems) > 1 else None
    by_metric: list[list[Result]] = []
    for metric in metrics:
        signature = metric.signature(len(references), resampling)
        estimates = metric.bootstrap(hypotheses, reference_lines, resampling) if resampling else [None]
        by_metric.append(
            [
                Result(metric, metric.corpus(each, reference_lines), signature, estimate)
                for each, estimate in zip(hypotheses, estimates, strict=True)
            ]
        )
    names = [text.name for text in systems]
    return Evaluation(list(zip(names, zip(*by_metric, strict=True), strict=True)), lines, resampling)
