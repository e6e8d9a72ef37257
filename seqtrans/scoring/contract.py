"""The interface of metrics, which each module in `seqtrans.scoring.metrics` provides, and its types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class MetricSettings:
    """Options of metrics; the signature of each metric states those that it depends on."""

    lowercase: bool = False
    tokenize: str = "13a"


@dataclass(frozen=True)
class Resampling:
    """A bootstrap: how many test sets are drawn, and the seed (from 1) that makes the draw repeatable.

    Both defaults are sacreBLEU's, so that its own command draws the same test sets.
    """

    samples: int = 1000
    seed: int = 12345


@dataclass(frozen=True)
class Score:
    """A corpus score in the metric's unit, and the numbers that it was computed from."""

    value: float
    details: Mapping[str, float | list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """The resampled score of a system, in the metric's unit.

    `mean` is over the resampled test sets, `mean` ± `margin` their 95% confidence interval, `p_value` the
    significance of the difference from the first system (None for the first system itself).
    """

    mean: float
    margin: float
    p_value: float | None


@dataclass(frozen=True)
class Text:
    """The lines of a file, and its name."""

    name: str
    lines: Sequence[str]


class Metric(Protocol):
    """A corpus-level metric, made by `PLUGIN(settings)` of its module.

    `references` holds one sequence of lines for each set of references, each as long as the hypotheses. There is at
    least one line and one set; `seqtrans.scoring.evaluation.check_counts` checks this.
    """

    name: str
    """The name for `--metric`; the module has the same name."""
    label: str
    """The usual name in publications."""
    higher_is_better: bool
    decimals: int
    """Digits after the decimal point in output."""

    def signature(self, n_refs: int, resampling: Resampling | None = None) -> str:
        """Every setting that the score depends on, as `key:value|key:value`."""

    def corpus(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> Score:
        """The score of one system's lines."""

    def bootstrap(
        self,
        systems: Sequence[Sequence[str]],
        references: Sequence[Sequence[str]],
        resampling: Resampling,
    ) -> list[Estimate]:
        """An estimate for each system, compared with the first by paired bootstrap (Koehn 2004)."""
