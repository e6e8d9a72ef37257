"""Paired bootstrap resampling: repeatable, sacreBLEU's to the digit, right where the truth is known."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from sacrebleu import TER
from sacrebleu.significance import PairedTest

from seqtrans.scoring import Resampling, metric, metric_names
from seqtrans.scoring.significance import p_value, paired_bootstrap

FEW = Resampling(samples=200)


def corrupted(lines: list[str], share: float, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(w if draw.random() > share else "zzz" for w in line.split()) for line in lines]


@pytest.fixture(scope="module")
def references() -> list[str]:
    draw = random.Random(0)
    vocabulary = [f"w{number}" for number in range(50)]
    return [" ".join(draw.choices(vocabulary, k=draw.randint(1, 12))) for _ in range(100)]


@pytest.mark.parametrize("name", metric_names())
def test_every_metric_tells_better_from_equal(name: str, references: list[str]) -> None:
    base, better = corrupted(references, 0.4, 1), corrupted(references, 0.1, 2)
    systems = [base, better, list(base)]
    ours = metric(name)
    first, second, copy = ours.bootstrap(systems, [references], FEW)
    assert first.p_value is None
    assert second.p_value is not None
    assert second.p_value < 0.05
    assert copy.p_value == 1
    assert (copy.mean, copy.margin) == (first.mean, first.margin)
    assert (second.mean > first.mean) == ours.higher_is_better
    assert first.margin > 0
    actual = ours.corpus(base, [references]).value
    assert abs(first.mean - actual) < first.margin


@pytest.mark.parametrize("name", metric_names())
def test_the_same_call_draws_the_same_test_sets(name: str, references: list[str]) -> None:
    systems = [corrupted(references, 0.4, 1), corrupted(references, 0.35, 2)]
    first = metric(name).bootstrap(systems, [references], FEW)
    assert metric(name).bootstrap(systems, [references], FEW) == first
    assert metric(name).bootstrap(systems, [references], Resampling(samples=200, seed=7)) != first


def test_draws_interval_and_p_value_are_sacrebleus(references: list[str]) -> None:
    theirs = TER()
    systems = [corrupted(references, 0.3, seed) for seed in (1, 2)]
    named: list[tuple[str, Sequence[str]]] = [(str(number), lines) for number, lines in enumerate(systems)]
    _, columns = PairedTest(named, {"ter": theirs}, [references], "bs", 200)()
    statistics = [
        np.array(theirs._extract_corpus_statistics(lines, [references]), dtype=np.float64) for lines in systems
    ]
    ours = paired_bootstrap(statistics, lambda sums: 100 * float(sums[0] / sums[1]), FEW)
    for estimate, result in zip(ours, columns["TER"], strict=True):
        assert not isinstance(result, str)
        assert estimate.mean == pytest.approx(result.mean)
        assert estimate.margin == pytest.approx(result.ci)
        assert estimate.p_value == result.p_value


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(3)
    covered = 0
    for _ in range(100):
        rows = np.stack([generator.random(60) < 0.3, np.ones(60)], axis=1).astype(np.float64)
        (estimate,) = paired_bootstrap([rows], lambda sums: float(sums[0] / sums[1]), Resampling(100))
        covered += abs(estimate.mean - 0.3) <= estimate.margin
    assert 86 <= covered <= 100


def test_p_value_bounds() -> None:
    assert p_value(np.zeros(99), 0.0) == 1
    assert p_value(np.full(99, 2.0), 2.0) == pytest.approx(1 / 100)
    assert p_value(np.array([-1.0, 5.0, 1.0]), 0.1) == pytest.approx(2 / 4)


@pytest.mark.parametrize("name", ["wer", "bleu", "bleu01"])
def test_one_line_is_enough(name: str) -> None:
    first, second = metric(name).bootstrap([["a b c d"], ["a b c x"]], [["a b c d"]], Resampling(samples=10))
    assert first.margin == second.margin == 0
