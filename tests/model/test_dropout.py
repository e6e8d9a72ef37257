"""Dropout: one mask per sentence, right on average, and nothing at all out of training."""

from __future__ import annotations

import pytest
import torch

from seqtrans.config.schema import ModelConfig
from seqtrans.model.dropout import VariationalDropout, WordDropout, apply_mask
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.recurrent.cells import cell_names

STEPS, BATCH, UNITS = 7, 40, 50


def test_a_sentence_has_one_mask_for_all_steps_and_another_than_its_neighbour() -> None:
    torch.default_generator.manual_seed(41)
    dropped = VariationalDropout(0.3)(torch.ones(STEPS, BATCH, UNITS))
    assert all(torch.equal(step, dropped[0]) for step in dropped)
    assert len({tuple(row) for row in dropped[0].tolist()}) == BATCH
    assert set(dropped.unique().tolist()) == {0.0, torch.tensor(1 / 0.7).item()}


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_expectation_is_the_value_itself(rate: float) -> None:
    torch.default_generator.manual_seed(42)
    dropped = VariationalDropout(rate)(torch.full((1, 1000, 100), 2.0))
    deviation = 2 * (rate / (1 - rate) / dropped.numel()) ** 0.5
    assert abs(dropped.mean().item() - 2) < 5 * deviation
    assert abs((dropped == 0).float().mean().item() - rate) < 0.01


def test_nothing_is_dropped_out_of_training_or_at_rate_zero() -> None:
    sequence = torch.randn(STEPS, BATCH, UNITS)
    for layer in (VariationalDropout(0.5).eval(), VariationalDropout(0), WordDropout(0.5).eval(), WordDropout(0)):
        assert layer(sequence) is sequence
    assert VariationalDropout(0.5).eval().mask(2, 3, sequence) is None
    assert apply_mask(sequence, None) is sequence


def test_word_dropout_takes_whole_embeddings_and_does_not_rescale() -> None:
    torch.default_generator.manual_seed(43)
    dropped = WordDropout(0.25)(torch.ones(100, 100, 8))
    words = dropped.sum(dim=2)
    assert set(words.unique().tolist()) == {0.0, 8.0}
    assert abs((words == 0).float().mean().item() - 0.25) < 0.03
    assert len({tuple(step) for step in words.tolist()}) == 100  # each position on its own


@pytest.mark.parametrize("cell", cell_names())
@pytest.mark.parametrize("feeding", [False, True])
def test_a_network_drops_in_training_by_the_seed_and_never_in_use(cell: str, feeding: bool) -> None:
    torch.default_generator.manual_seed(44)
    config = ModelConfig(cell=cell, embedding=6, hidden=8, dropout=0.4, word_dropout=0.2, input_feeding=feeding)
    network = Seq2Seq(config, 9, 9, joint=True)
    source, lengths, targets = torch.tensor([[4], [5], [3]]), torch.tensor([3]), torch.tensor([[2], [6], [7]])

    def logits(seed: int) -> torch.Tensor:
        torch.default_generator.manual_seed(seed)
        return network.logits(network.readouts(targets, network.encode(source, lengths)))

    network.train()
    assert torch.equal(logits(1), logits(1))
    assert not torch.equal(logits(1), logits(2))
    network.eval()
    assert torch.equal(logits(1), logits(2))


@pytest.mark.parametrize("cell", cell_names())
def test_the_same_seed_drops_the_same_with_and_without_the_step_loop(cell: str) -> None:
    """Input feeding with a weight of zero is no input feeding, also under dropout."""
    plain_config = ModelConfig(cell=cell, embedding=6, hidden=8, dropout=0.4)
    fed_config = ModelConfig(cell=cell, embedding=6, hidden=8, dropout=0.4, input_feeding=True)
    torch.default_generator.manual_seed(45)
    plain, fed = (Seq2Seq(c, 9, 9, joint=True).double() for c in (plain_config, fed_config))
    weights = plain.state_dict()
    first = "decoder.layers.0.input_weight"
    weights[first] = torch.cat([weights[first], torch.zeros_like(weights[first])], dim=1)
    fed.load_state_dict(weights)
    source, lengths, targets = (
        torch.tensor([[4, 6], [5, 3], [3, 0]]),
        torch.tensor([3, 2]),
        torch.tensor([[2, 2], [6, 7]]),
    )
    found = []
    for network in (plain, fed):
        torch.default_generator.manual_seed(46)
        found.append(network.readouts(targets, network.encode(source, lengths)))
    torch.testing.assert_close(found[1], found[0], rtol=1e-12, atol=1e-12)
