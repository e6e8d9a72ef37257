"""sacreBLEU's metrics, adapted to the interface of `seqtrans.scoring.contract`."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sacrebleu.metrics.base import Metric as SacreMetric
from sacrebleu.significance import PairedTest, Result

from seqtrans.scoring.contract import Estimate, MetricSettings, Resampling, Score


class SacreAdapter(ABC):
    """A metric that sacreBLEU computes, with sacreBLEU's own signature."""

    name: str
    label: str
    higher_is_better: bool
    decimals: int = 2

    def __init__(self, settings: MetricSettings) -> None:
        self._metric = self.make(settings)

    @abstractmethod
    def make(self, settings: MetricSettings) -> SacreMetric:
        """The metric of sacreBLEU with these settings.

        Raises:
            UsageError: it cannot work with these settings.
        """

    def details(self, score: Any) -> dict[str, float | list[float]]:
        """The numbers that sacreBLEU's score was computed from."""
        return {}

    def signature(self, n_refs: int, resampling: Resampling | None = None) -> str:
        """SacreBLEU's signature, such as `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`."""
        self._metric.num_refs = n_refs  # sacreBLEU sets it only when it computes a score
        signature = self._metric.get_signature()
        if resampling:
            signature.update("bs", resampling.samples)
            signature.update("seed", resampling.seed)
        return signature.format()

    def corpus(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> Score:
        """The score of one system's lines."""
        score = self._metric.corpus_score(hypotheses, references)
        return Score(float(score.score), self.details(score))

    def bootstrap(
        self,
        systems: Sequence[Sequence[str]],
        references: Sequence[Sequence[str]],
        resampling: Resampling,
    ) -> list[Estimate]:
        """The paired bootstrap of sacreBLEU, each system against the first.

        One difference: equal scores have p = 1. sacreBLEU counts the test sets that differ by more than the mean
        difference. If all differences are 0 there are none, and a system would differ significantly from its copy.
        """
        named = [(str(number), lines) for number, lines in enumerate(systems)]
        with _seed(resampling.seed):
            test = PairedTest(named, {self.name: self._metric}, references, "bs", resampling.samples)
        _signatures, columns = test()
        (column,) = (values for key, values in columns.items() if key != "System")
        results = [result for result in column if isinstance(result, Result)]
        return [_estimate(result, results[0]) for result in results]


def _estimate(result: Result, baseline: Result) -> Estimate:
    assert result.mean is not None
    assert result.ci is not None
    p = result.p_value
    if p is not None:
        p = 1.0 if result.score == baseline.score else float(p)
    return Estimate(float(result.mean), float(result.ci), p)


@contextmanager
def _seed(seed: int) -> Iterator[None]:
    """Set the environment variable in which sacreBLEU looks for its seed, and restore it after the block."""
    before = os.environ.get("SACREBLEU_SEED")
    os.environ["SACREBLEU_SEED"] = str(seed)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SACREBLEU_SEED"]
        else:
            os.environ["SACREBLEU_SEED"] = before
