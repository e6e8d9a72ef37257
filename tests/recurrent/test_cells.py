"""Every cell that there is: its fast way against its plain loop, and what holds for all of them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from seqtrans.errors import UsageError
from seqtrans.recurrent.cells import cell_names, find_cell
from seqtrans.recurrent.cells.base import recurrent_dropout
from seqtrans.recurrent.cells.gru import GRU
from tests.recurrent.running import (
    BATCH,
    HIDDEN,
    TOLERANCE,
    assert_same,
    by_loop,
    cells,
    dtypes,
    make_cell,
    make_data,
    outputs_and_gradients,
)


def test_there_are_cells_and_unknown_ones_are_refused() -> None:
    assert {"lstm", "gru"} <= set(cell_names())
    assert find_cell("gru") is GRU
    with pytest.raises(UsageError, match="did you mean 'lstm'"):
        find_cell("lstn")


@cells
@dtypes
@pytest.mark.parametrize("steps", [1, 2, 9])
def test_sequence_is_the_loop(name: str, dtype: torch.dtype, steps: int) -> None:
    cell = make_cell(name, dtype)
    inputs, state = make_data(cell, steps, dtype)
    found = outputs_and_gradients(cell, cell.sequence, inputs, state)
    expected = outputs_and_gradients(cell, by_loop(cell), inputs, state)
    assert_same(found, expected, TOLERANCE[dtype])
    assert found["outputs"].shape == (steps, BATCH, HIDDEN)
    for key in cell.state_dict():
        assert expected[key].abs().max() > 0, f"{key} has no effect"


@cells
@pytest.mark.parametrize(
    "fast", [pytest.param(True, id="one direction"), pytest.param(False, marks=pytest.mark.prove, id="every element")]
)
def test_gradients_of_sequence_are_those_of_finite_differences(name: str, fast: bool) -> None:
    cell = make_cell(name, torch.float64, inputs=2, hidden=4)
    inputs, state = make_data(cell, 3, torch.float64, batch=2)
    names = [key for key, _ in cell.named_parameters()]
    cell.forward = cell.sequence

    def run(inputs: Tensor, *rest: Tensor) -> Tensor:
        state, weights = rest[: cell.states], dict(zip(names, rest[cell.states :], strict=True))
        outputs: Tensor = functional_call(cell, weights, (inputs, state))
        return outputs

    assert torch.autograd.gradcheck(run, (inputs, *state, *cell.parameters()), fast_mode=fast)


@cells
@dtypes
def test_no_steps_give_no_outputs(name: str, dtype: torch.dtype) -> None:
    cell = make_cell(name, dtype)
    inputs, state = make_data(cell, 0, dtype)
    for run in (cell.sequence, by_loop(cell)):
        outputs = run(inputs, state)
        assert outputs.shape == (0, BATCH, HIDDEN)
        assert outputs.dtype == dtype


@cells
def test_sequence_takes_a_view_and_leaves_its_arguments_alone(name: str) -> None:
    cell = make_cell(name, torch.float64)
    inputs, state = make_data(cell, 5, torch.float64)
    before = [t.detach().clone() for t in (inputs, *state)]
    turned = inputs.detach().transpose(0, 1).contiguous().transpose(0, 1)  # the same values, other strides
    torch.testing.assert_close(cell.sequence(turned, state), by_loop(cell)(inputs, state), rtol=1e-12, atol=1e-12)
    assert all(torch.equal(t, b) for t, b in zip((inputs, *state), before, strict=True))


@cells
def test_recurrent_weights_can_be_dropped(name: str) -> None:
    cell = make_cell(name, torch.float64)
    inputs, state = make_data(cell, 5, torch.float64)
    results = []
    for run in (cell.sequence, by_loop(cell)):
        torch.default_generator.manual_seed(7)
        with recurrent_dropout(cell, 0.4):
            results.append(outputs_and_gradients(cell, run, inputs, state))
            thinned = cell.recurrent
    found, expected = results
    assert_same(found, expected, 1e-12)
    dropped = thinned == 0
    assert 0.1 < dropped.double().mean() < 0.7
    torch.testing.assert_close(thinned[~dropped], cell.recurrent_weight[~dropped] / 0.6)
    assert not found["recurrent_weight"][dropped].any()
    assert cell.recurrent is cell.recurrent_weight
    with recurrent_dropout(cell.eval(), 0.4):
        assert cell.recurrent is cell.recurrent_weight


@cells
def test_a_sequence_can_be_cut_anywhere(name: str) -> None:
    cell = make_cell(name, torch.float64)
    inputs, state = make_data(cell, 6, torch.float64)
    whole = cell.sequence(inputs, state)
    for cut in range(7):
        for run in (cell.unroll, cell.loop):
            outputs, middle = run(inputs[:cut], state)
            rest, last = run(inputs[cut:], middle)
            torch.testing.assert_close(torch.cat([outputs, rest]), whole, rtol=1e-12, atol=1e-12)
            torch.testing.assert_close(last[0], whole[-1], rtol=1e-12, atol=1e-12)
            assert len(middle) == len(last) == cell.states
            assert not any(tensor.requires_grad for tensor in (*middle, *last))


@cells
def test_in_bfloat16_results_are_near_and_gradients_reach_every_weight(name: str) -> None:
    cell = make_cell(name, torch.float32)
    inputs, state = make_data(cell, 4, torch.float32)
    expected = outputs_and_gradients(cell, by_loop(cell), inputs, state)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = cell.sequence(inputs, state)
    weights = torch.linspace(-1, 1, outputs.numel()).view_as(outputs)
    (outputs.float() * weights).sum().backward()
    torch.testing.assert_close(outputs.float(), expected["outputs"], rtol=0.05, atol=0.05)
    for key, parameter in cell.named_parameters():
        assert parameter.grad is not None
        assert parameter.grad.dtype == torch.float32
        error = (parameter.grad - expected[key]).norm() / expected[key].norm()
        assert error < 0.05, f"{key}: {error:.3f}"


@cells
def test_initial_weights(name: str) -> None:
    torch.default_generator.manual_seed(3)
    inputs, hidden = 40, 24
    cell = find_cell(name)(inputs, hidden)
    for block in cell.recurrent_weight.detach().split(hidden):
        torch.testing.assert_close(block @ block.T, torch.eye(hidden), rtol=0, atol=1e-5)
    bound = (6 / (inputs + hidden)) ** 0.5
    largest = cell.input_weight.detach().abs().max().item()
    assert 0.98 * bound < largest <= bound
    assert all(not s.any() and s.shape == (2, hidden) for s in cell.initial_state(2))
    assert len(cell.initial_state(2)) == cell.states


def test_the_forget_bias_of_an_lstm_starts_at_one_and_all_others_at_zero() -> None:
    i, f, g, o = find_cell("lstm")(4, 5).bias.detach().split(5)
    assert torch.equal(f, torch.ones(5))
    assert not torch.cat([i, g, o]).any()
    assert not find_cell("gru")(4, 5).bias.any()


@pytest.mark.parametrize("name", ["gru-layernorm", "lstm-layernorm"])
def test_the_gain_of_normalised_gates_starts_at_three_tenths(name: str) -> None:
    cell = find_cell(name)(4, 5)
    torch.testing.assert_close(cell.get_parameter("gain").detach(), torch.full((cell.gates * 5,), 0.3))
