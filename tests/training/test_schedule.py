"""The learning rate: how it rises, how it falls, where it ends."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtrans.config.schema import TrainingConfig
from seqtrans.training.schedule import FLOOR, learning_rate

DECAYS = ["constant", "linear", "cosine", "inverse-sqrt"]
TOP = 0.002


def config(decay: str, warmup: int = 100) -> TrainingConfig:
    return TrainingConfig(learning_rate=TOP, warmup_steps=warmup, decay=decay)


@pytest.mark.parametrize("decay", DECAYS)
def test_warm_up_is_linear_and_reaches_the_rate(decay: str) -> None:
    rates = [learning_rate(config(decay), step, 0.0) for step in range(1, 101)]
    assert rates == pytest.approx([TOP * step / 100 for step in range(1, 101)])


@pytest.mark.parametrize("decay", DECAYS)
def test_without_warm_up_the_first_step_has_the_whole_rate(decay: str) -> None:
    assert learning_rate(config(decay, 0), 1, 0.0) == pytest.approx(TOP)


@pytest.mark.parametrize("decay", ["linear", "cosine"])
def test_a_decay_ends_at_the_floor_and_is_half_way_in_the_middle(decay: str) -> None:
    assert learning_rate(config(decay), 10**4, 1.0) == pytest.approx(TOP * FLOOR)
    assert learning_rate(config(decay), 10**4, 1.5) == pytest.approx(TOP * FLOOR)
    assert learning_rate(config(decay), 10**4, 0.5) == pytest.approx(TOP * (1 + FLOOR) / 2)


def test_linear_cosine_and_root_by_their_formulas() -> None:
    for progress in (0.1, 0.25, 0.8):
        linear = FLOOR + (1 - FLOOR) * (1 - progress)
        cosine = FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * progress)) / 2
        assert learning_rate(config("linear"), 500, progress) == pytest.approx(TOP * linear)
        assert learning_rate(config("cosine"), 500, progress) == pytest.approx(TOP * cosine)
        assert learning_rate(config("constant"), 500, progress) == TOP
    assert learning_rate(config("inverse-sqrt"), 400, 0.9) == pytest.approx(TOP / 2)
    assert learning_rate(config("inverse-sqrt", 0), 400, 0.9) == pytest.approx(TOP / 20)


@given(st.sampled_from(DECAYS), st.integers(0, 1000), st.integers(1, 10**6), st.floats(0, 2), st.floats(0, 1))
def test_never_above_the_rate_never_negative_and_never_rising_after_warm_up(
    decay: str, warmup: int, step: int, progress: float, more: float
) -> None:
    now = learning_rate(config(decay, warmup), step, progress)
    assert 0 < now <= TOP * (1 + 1e-12)
    if step >= warmup:
        assert learning_rate(config(decay, warmup), step + 1, progress + more) <= now * (1 + 1e-12)
