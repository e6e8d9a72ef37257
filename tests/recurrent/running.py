"""What the tests of cells have in common: every cell, arbitrary weights, and all gradients of a run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seqtrans.recurrent.cells import cell_names, find_cell, variants
from seqtrans.recurrent.cells.base import Cell, State

INPUTS, HIDDEN, BATCH = 5, 6, 3
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}

CELLS = [variant for name in cell_names() for variant in variants(name)]

KINDS = ("lstm", "gru", "lstm-layernorm")
"""One cell of each kind: run by the library, by the kernel, and normalised."""

cells = pytest.mark.parametrize("name", CELLS)
dtypes = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)

Run = Callable[[Tensor, State], Tensor]


def make_cell(name: str, dtype: torch.dtype, seed: int = 1, inputs: int = INPUTS, hidden: int = HIDDEN) -> Cell:
    """A cell with no weight at a special value: initial biases are zeros and ones, which hides mistakes."""
    torch.default_generator.manual_seed(seed)
    cell = find_cell(name)(inputs, hidden).to(dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(0, 0.6)
    return cell


def by_loop(cell: Cell) -> Run:
    """The outputs by plain steps."""
    return lambda inputs, state: cell.loop(inputs, state)[0]


def make_data(cell: Cell, steps: int, dtype: torch.dtype, batch: int = BATCH) -> tuple[Tensor, State]:
    inputs = torch.randn(steps, batch, cell.input_weight.shape[1], dtype=dtype, requires_grad=True)
    state = tuple(torch.randn(batch, cell.hidden, dtype=dtype, requires_grad=True) for _ in range(cell.states))
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
        torch.testing.assert_close(found[name], tensor, rtol=tolerance, atol=tolerance, msg=f"{name}: {{}}".format)
