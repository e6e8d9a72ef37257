"""Training reads whole targets, a search goes step by step: both must see the same network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqtrans.config.schema import ModelConfig
from seqtrans.model.attention import attention_names
from seqtrans.model.memory import Memory
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.recurrent.cells import cell_names
from tests.covering import covering

VOCAB = 11
SOURCE = torch.tensor([[4, 5, 6], [7, 8, 3], [9, 3, 0], [3, 0, 0]])
LENGTHS = torch.tensor([4, 3, 2])
TARGETS = torch.tensor([[2, 2, 2], [4, 9, 7], [10, 5, 5], [6, 6, 1], [8, 4, 4]])

CONFIGS = [
    ModelConfig(embedding=6, hidden=8, **case)
    for case in covering(
        {
            "cell": cell_names(),
            "attention": attention_names(),
            "bridge": ["last", "mean"],
            "input_feeding": [False, True],
            "decoder_layers": [1, 2],
            "decoder_transitions": [1, 2],
            "tied_embeddings": [False, True],
        }
    )
]


def name_of(config: ModelConfig) -> str:
    feeding, tied = "-feeding" if config.input_feeding else "", "-tied" if config.tied_embeddings else ""
    sizes = f"{config.decoder_layers}x{config.decoder_transitions}"
    return f"{config.cell}-{config.attention}-{config.bridge}{feeding}-{sizes}{tied}"


every_kind = pytest.mark.parametrize("config", CONFIGS, ids=name_of)


def make_network(config: ModelConfig, dtype: torch.dtype) -> Seq2Seq:
    """A network with large random weights, so that a wrong term would show."""
    torch.default_generator.manual_seed(21)
    network = Seq2Seq(config, VOCAB, VOCAB, joint=False).to(dtype).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.5)
    return network


def step_by_step(network: Seq2Seq, targets_TB: Tensor, memory: Memory) -> Tensor:
    state, logits = network.start(memory), []
    for ids in targets_TB:
        scores, state, _ = network.step(ids, state, memory)
        logits.append(scores)
    return torch.stack(logits)


@every_kind
def test_whole_targets_and_single_steps_give_equal_logits(config: ModelConfig) -> None:
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        network = make_network(config, dtype)
        with torch.no_grad():
            memory = network.encode(SOURCE, LENGTHS)
            whole = network.logits(network.readouts(TARGETS, memory))
            steps = step_by_step(network, TARGETS, memory)
        assert whole.shape == (len(TARGETS), len(LENGTHS), VOCAB)
        torch.testing.assert_close(steps, whole, rtol=tolerance, atol=tolerance)


@every_kind
def test_whole_targets_and_single_steps_give_equal_gradients(config: ModelConfig) -> None:
    network = make_network(config, torch.float64)
    names, parameters = zip(*network.named_parameters(), strict=True)
    gradients = []
    for whole in (True, False):
        memory = network.encode(SOURCE, LENGTHS)
        logits = network.logits(network.readouts(TARGETS, memory)) if whole else step_by_step(network, TARGETS, memory)
        gradients.append(torch.autograd.grad(torch.log_softmax(logits, 2)[..., 4].sum(), parameters))
    for name, one, other in zip(names, *gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10, msg=f"{name}: {{}}".format)
        assert one.abs().max() > 0, f"{name} has no part in the loss"


@every_kind
def test_hypotheses_side_by_side_are_separate_copies(config: ModelConfig) -> None:
    count = 3
    network = make_network(config, torch.float64)
    torch.default_generator.manual_seed(22)
    tokens = torch.randint(4, VOCAB, (4, len(LENGTHS), count))
    with torch.no_grad():
        memory = network.encode(SOURCE, LENGTHS)
        state = network.start(memory).select(torch.arange(len(LENGTHS)).repeat_interleave(count))
        copies = [network.start(memory) for _ in range(count)]
        for step in tokens:
            logits, state, weights = network.step(step.flatten(), state, memory)
            for k in range(count):
                expected, copies[k], attended = network.step(step[:, k], copies[k], memory)
                torch.testing.assert_close(logits[k::count], expected, rtol=1e-12, atol=1e-12)
                torch.testing.assert_close(weights[k::count], attended, rtol=1e-12, atol=1e-12)


@every_kind
def test_a_state_can_be_reordered_and_memory_thinned(config: ModelConfig) -> None:
    network = make_network(config, torch.float64)
    rows = torch.tensor([2, 0])
    with torch.no_grad():
        memory = network.encode(SOURCE, LENGTHS)
        _, state, _ = network.step(TARGETS[0], network.start(memory), memory)
        expected, _, _ = network.step(TARGETS[1], state, memory)
        found, _, _ = network.step(TARGETS[1][rows], state.select(rows), memory.select(rows))
    torch.testing.assert_close(found, expected[rows], rtol=1e-12, atol=1e-12)


@every_kind
def test_without_input_feeding_layer_one_does_not_wait_for_attention(config: ModelConfig) -> None:
    """And with it, it does: the state after a step depends on the readout before only then."""
    network = make_network(config, torch.float64)
    with torch.no_grad():
        memory = network.encode(SOURCE, LENGTHS)
        _, state, _ = network.step(TARGETS[0], network.start(memory), memory)
        before = network.step(TARGETS[1], state, memory)[1].layers[0][0]
        network.decoder.readout.bias.add_(0.3)
        _, state, _ = network.step(TARGETS[0], network.start(memory), memory)
        after = network.step(TARGETS[1], state, memory)[1].layers[0][0]
    assert torch.equal(before, after) is not config.input_feeding


@pytest.mark.parametrize("feeding", [False, True])
@pytest.mark.parametrize("cell", cell_names())
def test_truncation_changes_gradients_and_nothing_else(cell: str, feeding: bool) -> None:
    """The embedding of a word matters to later ones by way of the recurrence alone, here without attention."""
    config = ModelConfig(cell=cell, attention="none", input_feeding=feeding, embedding=6, hidden=8)
    network = make_network(config, torch.float64)
    reached = {}
    for bptt in (0, 2, 3, len(TARGETS)):
        embedded = torch.randn(len(TARGETS), 3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        embedded.requires_grad_()
        readouts = network.decoder(embedded, network.encode(SOURCE, LENGTHS), bptt)
        (gradient,) = torch.autograd.grad(readouts[-1].sum(), embedded)
        reached[bptt] = gradient.abs().sum(dim=(1, 2)) > 0, readouts
    assert reached[0][0].tolist() == reached[len(TARGETS)][0].tolist() == [True] * 5
    assert reached[2][0].tolist() == [False] * 4 + [True]
    assert reached[3][0].tolist() == [False] * 3 + [True] * 2
    for _, readouts in reached.values():
        torch.testing.assert_close(readouts, reached[0][1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("joint", [True, False])
def test_which_matrices_are_one(tied: bool, joint: bool) -> None:
    network = Seq2Seq(ModelConfig(embedding=6, hidden=8, tied_embeddings=tied), VOCAB, VOCAB, joint=joint)
    assert (network.output_weight is network.target_embedding) is tied
    assert (network.source_embedding is network.target_embedding) is (tied and joint)


def test_the_bridge_starts_the_decoder_from_the_last_output_or_the_mean() -> None:
    for bridge in ("last", "mean"):
        network = make_network(ModelConfig(bridge=bridge, embedding=6, hidden=8), torch.float64)
        memory = network.encode(SOURCE, LENGTHS)
        means = torch.stack([values[:n].mean(0) for values, n in zip(memory.values_BSD, LENGTHS.tolist(), strict=True)])
        begun = torch.tanh(network.decoder.bridge(memory.summary_BD if bridge == "last" else means))
        states = [tensor for layer in network.start(memory).layers for tensor in layer]
        torch.testing.assert_close(torch.cat(states, dim=1), begun, rtol=1e-12, atol=1e-12)
