"""Metrics by name. A new metric is a new module in `seqtrans.scoring.metrics` and no edit elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from seqtrans import plugins
from seqtrans.scoring.contract import Metric, MetricSettings, Text

_PACKAGE = "seqtrans.scoring.metrics"


def metric_names() -> list[str]:
    """The names of all metrics, sorted; imports none of them."""
    return plugins.names(_PACKAGE)


def metric(name: str, settings: MetricSettings | None = None) -> Metric:
    """The metric with this name.

    Raises:
        UsageError: there is no such metric, or it cannot be computed with these settings.
    """
    make = cast(Callable[[MetricSettings], Metric], plugins.load(_PACKAGE, "metric", name, callable))
    return make(settings or MetricSettings())


def corpus_score(
    name: str, hypotheses: Sequence[str], references: Sequence[str], settings: MetricSettings | None = None
) -> float:
    """The score of `hypotheses` against one reference each, in the metric's unit.

    Raises:
        UsageError: there is no such metric.
        DataError: the numbers of lines differ, or are 0.
    """
    from seqtrans.scoring.evaluation import check_counts

    check_counts([Text("hypotheses", hypotheses)], [Text("references", references)])
    return metric(name, settings).corpus(hypotheses, [references]).value


def formatted_score(name: str, value: float) -> str:
    """A score with the number of decimals of its metric.

    Raises:
        UsageError: there is no such metric.
    """
    return f"{value:.{metric(name).decimals}f}"


def higher_is_better(name: str) -> bool:
    """Whether a higher score is better: true for BLEU, false for error rates.

    Raises:
        UsageError: there is no such metric.
    """
    return metric(name).higher_is_better
