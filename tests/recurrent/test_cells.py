"""Every cell that there is: its fast way against its plain loop, and against equations written anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from seqtrans.errors import UsageError
from seqtrans.recurrent.cells import cell_names, find_cell
from seqtrans.recurrent.cells.base import Cell, State

INPUTS, HIDDEN, BATCH = 5, 6, 3
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}

cells = pytest.mark.parametrize("name", cell_names())
dtypes = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
steps = pytest.mark.parametrize("steps", [0, 1, 2, 9])

Run = Callable[[Tensor, State], Tensor]


def make_cell(name: str, dtype: torch.dtype, seed: int = 1) -> Cell:
    """A cell with no weight at a special value: initial biases are zeros and ones, which hides mistakes."""
    torch.manual_seed(seed)
    cell = find_cell(name)(INPUTS, HIDDEN).to(dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(0, 0.6)
    return cell


def make_data(cell: Cell, steps: int, dtype: torch.dtype) -> tuple[Tensor, State]:
    inputs = torch.randn(steps, BATCH, INPUTS, dtype=dtype, requires_grad=True)
    state = tuple(torch.randn(BATCH, HIDDEN, dtype=dtype, requires_grad=True) for _ in range(cell.states))
    return inputs, state


def outputs_and_gradients(cell: Cell, run: Run, inputs: Tensor, state: State) -> dict[str, Tensor]:
    """The outputs, and the gradients of all that the outputs depend on, of a loss that weighs each output."""
    outputs = run(inputs, state)
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=outputs.dtype).view_as(outputs)
    leaves = {"inputs": inputs, **dict(cell.named_parameters())}
    leaves |= {f"state {number}": tensor for number, tensor in enumerate(state)}
    gradients = torch.autograd.grad((outputs * weights).sum(), list(leaves.values()))
    return {"outputs": outputs.detach(), **dict(zip(leaves, gradients, strict=True))}


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(
            found[name], tensor, rtol=tolerance, atol=tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )


def test_there_are_cells_and_unknown_ones_are_refused() -> None:
    assert {"lstm", "gru"} <= set(cell_names())
    with pytest.raises(UsageError, match="did you mean 'lstm'"):
        find_cell("lstn")


@cells
@dtypes
@pytest.mark.parametrize("steps", [1, 2, 9])
def test_sequence_is_the_loop(name: str, dtype: torch.dtype, steps: int) -> None:
    cell = make_cell(name, dtype)
    inputs, state = make_data(cell, steps, dtype)
    found = outputs_and_gradients(cell, cell.sequence, inputs, state)
    expected = outputs_and_gradients(cell, cell.loop, inputs, state)
    assert_same(found, expected, TOLERANCE[dtype])
    assert found["outputs"].shape == (steps, BATCH, HIDDEN)
    for key in cell.state_dict():
        assert expected[key].abs().max() > 0, f"{key} has no effect"


@cells
def test_gradients_of_sequence_are_those_of_finite_differences(name: str) -> None:
    cell = make_cell(name, torch.float64)
    inputs, state = make_data(cell, 3, torch.float64)
    names = [key for key, _ in cell.named_parameters()]

    def run(inputs: Tensor, *rest: Tensor) -> Tensor:
        state, weights = rest[: cell.states], dict(zip(names, rest[cell.states :], strict=True))
        for key, weight in weights.items():
            delattr(cell, key)
            setattr(cell, key, weight)
        return cell.sequence(inputs, state)

    leaves = [parameter.detach().clone().requires_grad_() for parameter in cell.parameters()]
    for key in names:
        delattr(cell, key)
        setattr(cell, key, torch.empty(0))
    assert torch.autograd.gradcheck(run, (inputs, *state, *leaves))


@cells
@dtypes
def test_no_steps_give_no_outputs(name: str, dtype: torch.dtype) -> None:
    cell = make_cell(name, dtype)
    inputs, state = make_data(cell, 0, dtype)
    for run in (cell.sequence, cell.loop):
        outputs = run(inputs, state)
        assert outputs.shape == (0, BATCH, HIDDEN)
        assert outputs.dtype == dtype


@cells
def test_sequence_takes_a_view_and_leaves_its_arguments_alone(name: str) -> None:
    cell = make_cell(name, torch.float64)
    inputs, state = make_data(cell, 5, torch.float64)
    before = [t.detach().clone() for t in (inputs, *state)]
    turned = inputs.detach().transpose(0, 1).contiguous().transpose(0, 1)  # the same values, other strides
    torch.testing.assert_close(cell.sequence(turned, state), cell.loop(inputs, state), rtol=1e-12, atol=1e-12)
    assert all(torch.equal(t, b) for t, b in zip((inputs, *state), before, strict=True))


@cells
def test_a_sequence_can_be_cut_anywhere(name: str) -> None:
    cell = make_cell(name, torch.float64)
    inputs, state = make_data(cell, 6, torch.float64)
    whole = cell.sequence(inputs, state)
    for cut in range(1, 6):
        middle = state
        for projected in cell.project(inputs[:cut]).unbind(0):
            middle = cell.step(projected, middle)
        torch.testing.assert_close(cell.sequence(inputs[cut:], middle), whole[cut:], rtol=1e-12, atol=1e-12)


@cells
def test_in_bfloat16_results_are_near_and_gradients_reach_every_weight(name: str) -> None:
    cell = make_cell(name, torch.float32)
    inputs, state = make_data(cell, 4, torch.float32)
    expected = outputs_and_gradients(cell, cell.loop, inputs, state)
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


@dtypes
@pytest.mark.parametrize("how", ["sequence", "loop"])
def test_lstm_is_that_of_torch(dtype: torch.dtype, how: str) -> None:
    cell = make_cell("lstm", dtype)
    inputs, (h, c) = make_data(cell, 7, dtype)
    other = nn.LSTM(INPUTS, HIDDEN).to(dtype)
    with torch.no_grad():
        other.weight_ih_l0.copy_(cell.input_weight)
        other.weight_hh_l0.copy_(cell.recurrent_weight)
        other.bias_ih_l0.copy_(cell.bias)
        other.bias_hh_l0.zero_()
    found = outputs_and_gradients(cell, getattr(cell, how), inputs, (h, c))
    outputs, _ = other(inputs, (h.unsqueeze(0), c.unsqueeze(0)))
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=dtype).view_as(outputs)
    leaves = {
        "inputs": inputs,
        "input_weight": other.weight_ih_l0,
        "recurrent_weight": other.weight_hh_l0,
        "bias": other.bias_ih_l0,
        "state 0": h,
        "state 1": c,
    }
    gradients = torch.autograd.grad((outputs * weights).sum(), list(leaves.values()))
    expected = {"outputs": outputs.detach(), **dict(zip(leaves, gradients, strict=True))}
    assert_same(found, expected, TOLERANCE[dtype])


def gates_of(cell: Cell) -> list[Callable[[Tensor, Tensor], Tensor]]:
    """W [h, x] + b for each block of H rows, with W the recurrent and the input weights side by side."""
    joined = torch.cat([cell.recurrent_weight, cell.input_weight], dim=1)
    blocks = zip(joined.split(HIDDEN), cell.bias.split(HIDDEN), strict=True)
    return [lambda h, x, w=w, b=b: torch.cat([h, x], dim=1) @ w.T + b for w, b in blocks]


def lstm_by_equations(cell: Cell, inputs: Tensor, state: State) -> Tensor:
    input_gate, forget_gate, candidate, output_gate = gates_of(cell)
    (h, c), outputs = state, []
    for x in inputs:
        i, f = torch.sigmoid(input_gate(h, x)), torch.sigmoid(forget_gate(h, x))
        g, o = torch.tanh(candidate(h, x)), torch.sigmoid(output_gate(h, x))
        c = f * c + i * g
        h = o * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs)


def gru_by_equations(cell: Cell, inputs: Tensor, state: State) -> Tensor:
    update_gate, reset_gate, candidate = gates_of(cell)
    (h,), outputs = state, []
    for x in inputs:
        z, r = torch.sigmoid(update_gate(h, x)), torch.sigmoid(reset_gate(h, x))
        c = torch.tanh(candidate(r * h, x))
        h = (1 - z) * h + z * c
        outputs.append(h)
    return torch.stack(outputs)


@dtypes
@pytest.mark.parametrize("how", ["sequence", "loop"])
@pytest.mark.parametrize(("name", "equations"), [("lstm", lstm_by_equations), ("gru", gru_by_equations)])
def test_a_cell_does_what_its_equations_say(
    name: str, equations: Callable[[Cell, Tensor, State], Tensor], how: str, dtype: torch.dtype
) -> None:
    cell = make_cell(name, dtype)
    inputs, state = make_data(cell, 6, dtype)
    found = outputs_and_gradients(cell, getattr(cell, how), inputs, state)
    expected = outputs_and_gradients(cell, lambda i, s: equations(cell, i, s), inputs, state)
    assert_same(found, expected, TOLERANCE[dtype])


@cells
def test_initial_weights(name: str) -> None:
    torch.manual_seed(3)
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
