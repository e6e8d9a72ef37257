"""Deep transitions: the equations, and translators whose cells have them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqtrans.config.resolution import load_config
from seqtrans.config.schema import ModelConfig
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.recurrent.cells import find_cell
from seqtrans.recurrent.cells.base import Cell, recurrent_dropout
from seqtrans.recurrent.observation import gradient_norms, record_outputs
from seqtrans.recurrent.transition import with_transitions
from seqtrans.text.batches import pad_sources
from tests.conftest import TINY, RunSeqtrans
from tests.recurrent.running import CELLS, HIDDEN, INPUTS, assert_same, cells, make_data, outputs_and_gradients

DEPTH = 3
SENTENCES = [[4, 5, 6, 7, 8], [8], [4, 4]]
TARGETS = torch.tensor([[2, 2, 2], [4, 5, 6], [8, 8, 4]])


def make_deep(name: str) -> Cell:
    torch.default_generator.manual_seed(61)
    cell = with_transitions(find_cell(name), DEPTH)(INPUTS, HIDDEN).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(0, 0.6)
    return cell


@cells
def test_a_step_goes_through_one_cell_after_the_other(name: str) -> None:
    """The later ones are cells like the first, given inputs of zero."""
    deep = make_deep(name)
    inputs, state = make_data(deep, 4, torch.float64)
    found = outputs_and_gradients(deep, deep.sequence, inputs, state)
    chain = [find_cell(name)(INPUTS, HIDDEN).double() for _ in range(DEPTH)]
    weights = deep.state_dict()
    chain[0].load_state_dict({key: tensor for key, tensor in weights.items() if not key.startswith("later.")})
    for number, cell in enumerate(chain[1:]):
        begin = f"later.{number}."
        own = {key.removeprefix(begin): tensor for key, tensor in weights.items() if key.startswith(begin)}
        cell.load_state_dict(own | {"input_weight": cell.input_weight.detach()})
    outputs, current = [], state
    for step in inputs:
        for number, cell in enumerate(chain):
            current = cell.step(cell.project(step if number == 0 else torch.zeros_like(step)), current)
        outputs.append(current[0])
    expected = torch.stack(outputs)
    torch.testing.assert_close(found["outputs"], expected, rtol=1e-12, atol=1e-12)
    loss = (expected * torch.linspace(-1, 1, expected.numel(), dtype=torch.float64).view_as(expected)).sum()
    leaves = {"inputs": inputs, **{f"state {number}": tensor for number, tensor in enumerate(state)}}
    for number, cell in enumerate(chain):
        begin = f"later.{number - 1}." if number else ""
        leaves |= {begin + key: weight for key, weight in cell.named_parameters() if begin + key in weights}
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    assert_same(found, {"outputs": expected.detach(), **dict(zip(leaves, gradients, strict=True))}, 1e-11)


def test_one_transition_is_the_cell_itself() -> None:
    assert with_transitions(find_cell("gru"), 1) is find_cell("gru")


def test_the_weights_of_every_transition_can_be_dropped() -> None:
    deep = make_deep("gru")
    with recurrent_dropout(deep, 0.5):
        dropped = [cell.recurrent.eq(0).double().mean() for cell in deep.modules() if isinstance(cell, Cell)]
    assert len(dropped) == DEPTH
    assert all(0.2 < share < 0.8 for share in dropped)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("feeding", [False, True])
def test_a_translator_by_steps_and_alone(cell: str, feeding: bool) -> None:
    torch.default_generator.manual_seed(62)
    config = ModelConfig(
        cell=cell, embedding=6, hidden=8, encoder_layers=2, encoder_transitions=2, decoder_layers=2,
        decoder_transitions=3, input_feeding=feeding,
    )  # fmt: skip
    network = Seq2Seq(config, 9, 9, joint=True).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.5)
    source, lengths = pad_sources(SENTENCES)
    logits = network.logits(network.readouts(TARGETS, network.encode(source, lengths)))
    for b, sentence in enumerate(SENTENCES):
        memory = network.encode(*pad_sources([sentence]))
        state, parts = network.start(memory), []
        for ids in TARGETS[:, b : b + 1]:
            part, state, _ = network.step(ids, state, memory)
            parts.append(part[0])
        torch.testing.assert_close(logits[:, b], torch.stack(parts), rtol=1e-11, atol=1e-11)
    logits.log_softmax(2)[..., 5].sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_the_output_of_all_transitions_together_is_recorded() -> None:
    deep = make_deep("gru")
    inputs, state = make_data(deep, 4, torch.float64)
    with record_outputs(deep) as observations:
        outputs = deep.sequence(inputs, state)
    (steps,) = observations
    assert torch.equal(torch.stack(steps), outputs)
    (norms,) = gradient_norms(outputs[-1].square().sum(dim=1), observations)
    assert norms.shape == outputs.shape[:2]
    assert (norms > 0).all()


@pytest.mark.parametrize(("steps", "learned"), [(2, False), pytest.param(200, True, marks=pytest.mark.prove)])
def test_it_is_trained_saved_and_used(
    parallel_text: tuple[Path, Path], tmp_path: Path, run_seqtrans: RunSeqtrans, steps: int, learned: bool
) -> None:
    (tmp_path / "deep.toml").write_text(TINY, "utf-8")
    output = tmp_path / "deep.safetensors"
    run = run_seqtrans(
        "train", "--train", *parallel_text, "--dev", *parallel_text, "-o", output, "--preset", "bideep",
        "--config", tmp_path / "deep.toml", "--max-steps", steps, "--threads", 1,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    run = run_seqtrans("translate", "-m", output, input=b"one two three\nnine\n")
    assert run.returncode == 0, run.stderr.decode()
    assert run.stdout.count(b"\n") == 2
    assert not learned or run.stdout.decode() == "drei zwei eins\nneun\n"


def test_the_preset_is_deep_both_ways() -> None:
    model = load_config("bideep", None, {}, {}).model
    assert min(model.encoder_layers, model.encoder_transitions, model.decoder_layers, model.decoder_transitions) > 1
