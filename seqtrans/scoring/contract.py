"""What a metric is: the contract of each module in `seqtrans.scoring.metrics`, and the values it deals in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Settings:
    """What a user may choose about metrics; each metric's signature states what it made of the choice."""

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
    """A corpus score in the metric's unit, and the numbers it was made of."""

    value: float
    details: Mapping[str, float | list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Estimate:
    """What resampling says of a system's score, in the metric's unit.

    `mean` is over the resampled test sets, `mean` ± `margin` their 95% confidence interval, `p_value` the
    significance of the difference from the first system (None for the first system itself).
    """

    mean: float
    margin: float
    p_value: float | None


@dataclass(frozen=True)
class Text:
    """Lines with the name of the file that they came from."""

    name: str
    lines: Sequence[str]


class Metric(Protocol):
    """A corpus-level metric. `PLUGIN(settings)` makes it, where PLUGIN is its module's only contract.

    `references` hold one sequence of lines for each set of references, every one as long as the hypotheses,
    and there is at least one line and one set; `seqtrans.scoring.evaluation.check_counts` sees to that.
    """

    name: str
    """How users ask for it; the module has the same name."""
    label: str
    """How the field writes it."""
    higher_is_better: bool
    decimals: int
    """Digits after the point that are worth printing."""

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
        """An estimate for each system, each paired with the first (Koehn 2004)."""
