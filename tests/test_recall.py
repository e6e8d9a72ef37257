"""The copying task: its data, and that a cell can learn it."""

from __future__ import annotations

import pytest
import torch

from seqtrans.errors import UsageError
from seqtrans.recall import ALPHABET, BLANK_ID, CHANCE, FIRST_SYMBOL_ID, MARK_ID, SHOWN, Learner, Sequences, Settings
from seqtrans.recall import learn_to_recall as learn


@pytest.mark.parametrize("delay", [1, 7])
def test_what_is_wanted_is_what_was_shown(delay: int) -> None:
    found = Sequences.draw(delay, 200, 1)
    assert found.inputs_TB.shape == found.outputs_TB.shape == (SHOWN + delay + 1 + SHOWN, 200)
    shown = found.inputs_TB[:SHOWN]
    assert torch.equal(shown, found.outputs_TB[-SHOWN:])
    assert set(shown.flatten().tolist()) == set(range(FIRST_SYMBOL_ID, FIRST_SYMBOL_ID + ALPHABET))
    assert (found.inputs_TB[SHOWN + delay] == MARK_ID).all()
    blanks = torch.cat([found.inputs_TB[SHOWN : SHOWN + delay], found.inputs_TB[SHOWN + delay + 1 :]])
    assert (blanks == BLANK_ID).all()
    assert (found.outputs_TB[:-SHOWN] == BLANK_ID).all()
    assert found.target_tokens == SHOWN * 200


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


def test_a_cell_learns_to_recall_and_its_gradient_to_arrive() -> None:
    told: list[int] = []
    trained = learn(Learner.parse("lstm"), 3, Settings(steps=700, hidden=64, seed=1), told.append)
    assert trained.recalled > 5 * CHANCE
    assert told == list(range(1, 701))
    assert trained.gradient_trained > 3 * trained.gradient_fresh > 0


def test_clipping_changes_the_training_and_nothing_else() -> None:
    settings = Settings(steps=100, hidden=64, seed=1)
    clipped, again, unclipped, other = (
        learn(learner, 5, chosen, lambda number: None)
        for learner, chosen in (
            (Learner("rnn", clipped=True), settings),
            (Learner("rnn", clipped=True), settings),
            (Learner("rnn", clipped=False), settings),
            (Learner("rnn", clipped=True), Settings(steps=100, hidden=64, seed=2)),
        )
    )
    assert clipped == again
    assert clipped.gradient_fresh == unclipped.gradient_fresh != other.gradient_fresh
    assert clipped.gradient_trained != unclipped.gradient_trained
