"""Paired bootstrap resampling: is one system better than another, or is the difference due to the test set?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from seqtrans.scoring.contract import Estimate, Resampling


def paired_bootstrap(
    statistics: Sequence[NDArray[np.float64]],
    score: Callable[[Sequence[float]], float],
    resampling: Resampling,
) -> list[Estimate]:
    """An estimate for each system from its statistics [line, number of statistic]; the first system is the baseline.

    Test sets of the same size are drawn with replacement, the same for all systems, and `score` turns the
    sums of a set's statistics into its corpus score (Koehn 2004, "Statistical Significance Tests for Machine
    Translation Evaluation"). Draws, interval and p-value are those of sacreBLEU's paired bootstrap, so that its
    metrics and these can be compared. Memory grows with lines + samples, not with lines x samples.
    """
    lines = len(statistics[0])
    generator = np.random.default_rng(resampling.seed)
    scores = np.empty((len(statistics), resampling.samples))
    for sample in range(resampling.samples):
        counts = np.bincount(generator.choice(lines, size=lines, replace=True), minlength=lines)
        for system, rows in enumerate(statistics):
            scores[system, sample] = score((counts @ rows).tolist())
    actual = [score(rows.sum(axis=0).tolist()) for rows in statistics]
    return [
        _estimate(
            scores[system],
            None if system == 0 else p_value(scores[system] - scores[0], actual[system] - actual[0]),
        )
        for system in range(len(statistics))
    ]


def p_value(differences: NDArray[np.float64], actual: float) -> float:
    """The probability that two equally good systems differ by more than `actual` by chance.

    Estimated as the share of test sets whose absolute difference exceeds the mean absolute difference by more than
    `actual`, as in sacreBLEU and in Moses' bootstrap-hypothesis-difference-significance.pl. Systems with the same
    score have p = 1, where sacreBLEU would report its smallest value, 1 / (samples + 1).
    """
    if actual == 0:
        return 1.0
    distances = np.abs(differences)
    further = int(np.count_nonzero(distances - distances.mean() > abs(actual)))
    return (further + 1) / (len(differences) + 1)


def _estimate(scores: NDArray[np.float64], significance: float | None) -> Estimate:
    ordered = np.sort(scores)
    tail = len(ordered) // 40  # 2.5% at each end
    margin = 0.5 * (ordered[len(ordered) - tail - 1] - ordered[tail])
    return Estimate(float(scores.mean()), float(margin), significance)
