"""The gradients of a cell's outputs, against products written by hand and against small changes of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqtrans.recurrent.cells.base import Cell, State
from seqtrans.recurrent.observation import gradient_norms, record_outputs
from tests.recurrent.running import HIDDEN, cells, make_cell, make_data

STEPS = 6


def final_losses(outputs_TBH: Tensor) -> Tensor:
    """Of each row, by its last output alone."""
    weights = torch.linspace(-1, 1, HIDDEN, dtype=outputs_TBH.dtype)
    return torch.sin(outputs_TBH[-1] @ weights)


def test_of_a_simple_cell_they_are_products_of_its_weights() -> None:
    """dL/dh_t = (prod_{k=t+1}^{T} W^T diag(1 - h_k^2)) dL/dh_T (Pascanu et al. 2013, equation 5)."""
    cell = make_cell("rnn", torch.float64)
    inputs, state = make_data(cell, STEPS, torch.float64)
    with record_outputs(cell) as observations:
        outputs_TBH = cell.sequence(inputs, state)
        losses_B = final_losses(outputs_TBH)
    (norms_TB,) = gradient_norms(losses_B, observations)
    weights = torch.linspace(-1, 1, HIDDEN, dtype=torch.float64)
    for row in range(norms_TB.shape[1]):
        h_TH = outputs_TBH[:, row].detach()
        gradient = torch.cos(h_TH[-1] @ weights) * weights
        for t in range(STEPS - 1, -1, -1):
            assert float(norms_TB[t, row]) == pytest.approx(float(gradient.norm()), rel=1e-12)
            gradient = cell.recurrent_weight.detach().T @ ((1 - h_TH[t] ** 2) * gradient)


def outputs_after_a_change(cell: Cell, inputs: Tensor, state: State, step: int, change_BH: Tensor) -> Tensor:
    """h_1 .. h_T by plain steps, with h of one step changed before it goes on."""
    outputs = []
    for t, projected in enumerate(cell.project(inputs)):
        h, *others = cell.step(projected, state)
        state = (h + change_BH if t == step else h, *others)
        outputs.append(state[0])
    return torch.stack(outputs)


@cells
def test_they_are_those_of_finite_differences(name: str) -> None:
    cell = make_cell(name, torch.float64)
    inputs, state = make_data(cell, STEPS, torch.float64)
    with record_outputs(cell) as observations:
        losses_B = final_losses(cell.sequence(inputs, state))
    (norms_TB,) = gradient_norms(losses_B, observations)
    assert norms_TB.shape == (STEPS, inputs.shape[1])
    size = 1e-6
    with torch.no_grad():
        for t in range(STEPS):
            slopes = []
            for unit in torch.eye(HIDDEN, dtype=torch.float64):
                more, less = (
                    final_losses(outputs_after_a_change(cell, inputs, state, t, sign * size * unit)) for sign in (1, -1)
                )
                slopes.append((more - less) / (2 * size))
            torch.testing.assert_close(norms_TB[t], torch.stack(slopes).norm(dim=0), rtol=1e-5, atol=1e-8)


@cells
def test_recording_changes_no_result_and_ends(name: str) -> None:
    cell = make_cell(name, torch.float64)
    inputs, state = make_data(cell, STEPS, torch.float64)
    expected, last = cell.run(inputs, state)
    with record_outputs(cell) as (outputs,):
        found, end = cell.run(inputs, state)
        cell.advance(cell.project(inputs[0]), end)
    assert len(outputs) == STEPS + 1
    torch.testing.assert_close(torch.stack(outputs[:-1]), expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(end, last, rtol=1e-12, atol=1e-12)
    with pytest.raises(KeyError), record_outputs(cell):
        raise KeyError
    cell.run(inputs, state)
    assert cell.recorded_outputs is None
    assert len(outputs) == STEPS + 1
