"""sacreBLEU's metrics behind the contract of `seqtrans.scoring.contract`."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sacrebleu.metrics.base import Metric as SacreMetric
from sacrebleu.significance import PairedTest, Result

from seqtrans.scoring.contract import Estimate, Resampling, Score, Settings


class SacreAdapter(ABC):
    """A metric that sacreBLEU computes, described by sacreBLEU's own signature."""

    name: str
    label: str
    higher_is_better: bool
    decimals: int = 2

    def __init__(self, settings: Settings) -> None:
        self._metric = self.make(settings)

    @abstractmethod
    def make(self, settings: Settings) -> SacreMetric:
        """The metric of sacreBLEU with these settings.

        Raises:
            UsageError: it cannot work with these settings.
        """

    def details(self, score: Any) -> dict[str, float | list[float]]:
        """The numbers that sacreBLEU's score was made of."""
        return {}

    def signature(self, n_refs: int, resampling: Resampling | None = None) -> str:
        """As sacreBLEU writes it, `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0` for one."""
        self._metric.num_refs = n_refs  # else known only after a score was computed
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

        One difference: equal scores have p = 1. sacreBLEU counts sets that differ by more than the mean
        difference, finds none where all differences are 0, and so calls a system significantly different from
        its own copy.
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
    """Hand sacreBLEU a seed in the only way that it takes one, and leave the environment as it was."""
    before = os.environ.get("SACREBLEU_SEED")
    os.environ["SACREBLEU_SEED"] = str(seed)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SACREBLEU_SEED"]
        else:
            os.environ["SACREBLEU_SEED"] = before
