"""The copying task: its data, and that a cell can learn it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seqtrans.analysis.recall import (
    ALPHABET,
    BLANK_ID,
    CHANCE,
    FIRST_SYMBOL_ID,
    MARK_ID,
    SYMBOLS,
    Learner,
    RecallOptions,
    Sequences,
)
from seqtrans.analysis.recall import learn_to_recall as learn
from seqtrans.errors import UsageError


@pytest.mark.parametrize("delay", [1, 7])
def test_what_is_wanted_is_what_was_shown(delay: int) -> None:
    found = Sequences.draw(delay, 200, 1)
    assert found.inputs_TB.shape == found.outputs_TB.shape == (SYMBOLS + delay + 1 + SYMBOLS, 200)
    shown = found.inputs_TB[:SYMBOLS]
    assert torch.equal(shown, found.outputs_TB[-SYMBOLS:])
    assert set(shown.flatten().tolist()) == set(range(FIRST_SYMBOL_ID, FIRST_SYMBOL_ID + ALPHABET))
    assert (found.inputs_TB[SYMBOLS + delay] == MARK_ID).all()
    blanks = torch.cat([found.inputs_TB[SYMBOLS : SYMBOLS + delay], found.inputs_TB[SYMBOLS + delay + 1 :]])
    assert (blanks == BLANK_ID).all()
    assert (found.outputs_TB[:-SYMBOLS] == BLANK_ID).all()
    assert found.target_tokens == SYMBOLS * 200


def test_a_seed_draws_the_same_and_another_draws_others() -> None:
    draws = [Sequences.draw(3, 10, seed).inputs_TB for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_names_of_learners() -> None:
    for name in ("gru", "rnn+relu", "rnn+relu-unclipped"):
        assert Learner.parse(name).name == name
    assert Learner.parse("lstm-peephole-unclipped") == Learner("lstm-peephole", clipped=False)
    with pytest.raises(UsageError, match="unknown cell 'rnn-unclipped'"):
        Learner.parse("rnn-unclipped-unclipped")


@pytest.mark.parametrize(
    "changes",
    [{"delays": []}, {"delays": [0, 5]}, {"delays": [5, 1001]}, {"steps": 0}, {"hidden": 1025}, {"seed": -1}],
    ids=str,
)
def test_options_out_of_range_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RecallOptions(**{"delays": [5]} | changes)


def test_threads_and_random_numbers_of_the_process_are_restored_also_after_a_failure() -> None:
    def fail(_number: int) -> None:
        raise KeyboardInterrupt

    before = torch.get_num_threads()
    random_state = torch.get_rng_state()
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyboardInterrupt):
            learn(Learner("rnn", clipped=True), 2, RecallOptions([2], steps=1, hidden=4), fail)
        assert torch.get_num_threads() == 2
        assert torch.equal(torch.get_rng_state(), random_state)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("delay", "steps"), [(1, 200), pytest.param(3, 700, marks=pytest.mark.prove)])
def test_a_cell_learns_to_recall_and_its_gradient_to_arrive(delay: int, steps: int) -> None:
    updates: list[int] = []
    threads = torch.get_num_threads()
    options = RecallOptions([delay], steps=steps, hidden=64, seed=1)
    trained = learn(Learner.parse("lstm"), delay, options, updates.append)
    assert torch.get_num_threads() == threads
    assert trained.recalled > 5 * CHANCE
    assert updates == list(range(1, steps + 1))
    assert trained.gradient_trained > 3 * trained.gradient_fresh > 0


def test_clipping_changes_the_training_and_nothing_else() -> None:
    options = RecallOptions([5], steps=40, hidden=32, seed=1)
    clipped, again, unclipped, other = (
        learn(learner, 5, chosen, lambda number: None)
        for learner, chosen in (
            (Learner("rnn", clipped=True), options),
            (Learner("rnn", clipped=True), options),
            (Learner("rnn", clipped=False), options),
            (Learner("rnn", clipped=True), RecallOptions([5], steps=40, hidden=32, seed=2)),
        )
    )
    assert clipped == again
    assert clipped.gradient_fresh == unclipped.gradient_fresh != other.gradient_fresh
    assert clipped.gradient_trained != unclipped.gradient_trained
