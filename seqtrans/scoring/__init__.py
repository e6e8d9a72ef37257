"""Scores of translations against references, by name: see `metric` and `corpus_score`."""

from __future__ import annotations

from seqtrans.scoring.contract import Estimate, Metric, MetricSettings, Resampling, Score, Text
from seqtrans.scoring.registry import corpus_score, higher_is_better, metric, metric_names

__all__ = [
    "Estimate",
    "Metric",
    "MetricSettings",
    "Resampling",
    "Score",
    "Text",
    "corpus_score",
    "higher_is_better",
    "metric",
    "metric_names",
]
