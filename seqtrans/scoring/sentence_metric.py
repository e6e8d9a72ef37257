"""The base of seqtrans' own metrics, which compute a corpus score from sums over the sentences."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from seqtrans.scoring.contract import Estimate, MetricSettings, Resampling, Score
from seqtrans.version import __version__


class SentenceMetric(ABC):
    """A metric that is computed from a few numbers for each sentence, summed over all sentences."""

    name: str
    label: str
    higher_is_better: bool
    decimals: int = 2
    described: str
    """The part of the signature that is specific to the metric, as `key:value|key:value`."""

    def __init__(self, settings: MetricSettings) -> None:
        self.lowercase = settings.lowercase

    @abstractmethod
    def statistics(self, hypothesis: str, references: Sequence[str]) -> tuple[float, ...]:
        """The numbers of one sentence; every sentence has the same number of them."""

    @abstractmethod
    def score(self, sums: Sequence[float]) -> Score:
        """The corpus score from the sum of each number over all sentences."""

    def signature(self, n_refs: int, resampling: Resampling | None = None) -> str:
        """Every setting that the score depends on, in the order of sacreBLEU's signatures."""
        bootstrap = f"|bs:{resampling.samples}|seed:{resampling.seed}" if resampling else ""
        case = "lc" if self.lowercase else "mixed"
        return f"nrefs:{n_refs}{bootstrap}|case:{case}|{self.described}|version:seqtrans-{__version__}"

    def corpus(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> Score:
        """The score of one system's lines."""
        return self.score([math.fsum(column) for column in zip(*self._rows(hypotheses, references), strict=True)])

    def bootstrap(
        self,
        systems: Sequence[Sequence[str]],
        references: Sequence[Sequence[str]],
        resampling: Resampling,
    ) -> list[Estimate]:
        """An estimate for each system, each paired with the first."""
        import numpy as np  # only needed here: a single system is scored without numpy

        from seqtrans.scoring.significance import paired_bootstrap

        statistics = [np.array(self._rows(lines, references), dtype=np.float64) for lines in systems]
        return paired_bootstrap(statistics, lambda sums: self.score(sums).value, resampling)

    def _rows(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> list[tuple[float, ...]]:
        sentences = zip(hypotheses, zip(*references, strict=True), strict=True)
        if self.lowercase:
            return [self.statistics(line.lower(), [r.lower() for r in all_refs]) for line, all_refs in sentences]
        return [self.statistics(line, all_refs) for line, all_refs in sentences]
