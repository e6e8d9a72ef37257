"""Each cell against its equations written anew, and against torch's own modules where torch has the cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqtrans.recurrent.cells.base import Cell, State
from tests.recurrent.running import (
    CELLS,
    HIDDEN,
    INPUTS,
    TOLERANCE,
    assert_same,
    dtypes,
    make_cell,
    make_data,
    outputs_and_gradients,
)

Gate = Callable[[Tensor, Tensor], Tensor]
Equations = Callable[[Cell, Tensor, State], State]
"""A cell, x [B, I] and the state before -> the state after."""

sigmoid, tanh = torch.sigmoid, torch.tanh


def gates_of(cell: Cell) -> list[Gate]:
    """W [h, x] + b for each block of H rows, with W the recurrent and the input weights side by side."""

    def gate(w: Tensor, b: Tensor) -> Gate:
        return lambda h, x: torch.cat([h, x], dim=1) @ w.T + b

    joined = torch.cat([cell.recurrent_weight, cell.input_weight], dim=1)
    return [gate(w, b) for w, b in zip(joined.split(HIDDEN), cell.bias.split(HIDDEN), strict=True)]


def normalised_gates_of(cell: Cell) -> list[Gate]:
    """gain * (y - mean(y)) / sqrt(variance(y) + 1e-5) + b, with y = W [h, x]."""

    def gate(w: Tensor, gain: Tensor, b: Tensor) -> Gate:
        def normalised(h: Tensor, x: Tensor) -> Tensor:
            y = torch.cat([h, x], dim=1) @ w.T
            away = y - y.mean(dim=1, keepdim=True)
            return gain * away / (away.square().mean(dim=1, keepdim=True) + 1e-5).sqrt() + b

        return normalised

    joined = torch.cat([cell.recurrent_weight, cell.input_weight], dim=1)
    blocks = zip(joined.split(HIDDEN), cell.get_parameter("gain").split(HIDDEN), cell.bias.split(HIDDEN), strict=True)
    return [gate(w, gain, b) for w, gain, b in blocks]


def rnn(cell: Cell, x: Tensor, state: State) -> State:
    return (tanh(gates_of(cell)[0](state[0], x)),)


def rnn_relu(cell: Cell, x: Tensor, state: State) -> State:
    return (gates_of(cell)[0](state[0], x).clamp(min=0),)


def lstm(cell: Cell, x: Tensor, state: State, gates: Callable[[Cell], list[Gate]] = gates_of) -> State:
    (h, c), (input_gate, forget_gate, candidate, output_gate) = state, gates(cell)
    c = sigmoid(forget_gate(h, x)) * c + sigmoid(input_gate(h, x)) * tanh(candidate(h, x))
    return sigmoid(output_gate(h, x)) * tanh(c), c


def lstm_layernorm(cell: Cell, x: Tensor, state: State) -> State:
    return lstm(cell, x, state, normalised_gates_of)


def lstm_coupled(cell: Cell, x: Tensor, state: State) -> State:
    (h, c), (forget_gate, candidate, output_gate) = state, gates_of(cell)
    f = sigmoid(forget_gate(h, x))
    c = f * c + (1 - f) * tanh(candidate(h, x))
    return sigmoid(output_gate(h, x)) * tanh(c), c


def peepholes(into: list[Callable[[Tensor], Tensor]], cell: Cell, x: Tensor, state: State) -> State:
    """`into` says what the gates i, f, g and o see of C."""
    (h, c), (input_gate, forget_gate, candidate, output_gate) = state, gates_of(cell)
    i, f = sigmoid(input_gate(h, x) + into[0](c)), sigmoid(forget_gate(h, x) + into[1](c))
    c = f * c + i * tanh(candidate(h, x) + into[2](c))
    return sigmoid(output_gate(h, x) + into[3](c)) * tanh(c), c


def lstm_peephole(cell: Cell, x: Tensor, state: State) -> State:
    p = cell.get_parameter("peepholes")
    return peepholes([lambda c: p[0] * c, lambda c: p[1] * c, lambda c: 0 * c, lambda c: p[2] * c], cell, x, state)


def lstm_peephole_candidate(cell: Cell, x: Tensor, state: State) -> State:
    p = cell.get_parameter("peepholes")
    return peepholes([p[k].mul for k in (0, 1, 3, 2)], cell, x, state)


def lstm_peephole_full(cell: Cell, x: Tensor, state: State) -> State:
    v = cell.get_parameter("peepholes").split(HIDDEN)
    into = [lambda c: c @ v[0].T, lambda c: c @ v[1].T, lambda c: 0 * c, lambda c: c @ v[2].T]
    return peepholes(into, cell, x, state)


def lstm_peephole_full_candidate(cell: Cell, x: Tensor, state: State) -> State:
    v = cell.get_parameter("peepholes").split(HIDDEN)
    return peepholes([partial(F.linear, weight=w) for w in v], cell, x, state)


def gru(cell: Cell, x: Tensor, state: State, gates: Callable[[Cell], list[Gate]] = gates_of) -> State:
    (h,), (update_gate, reset_gate, candidate) = state, gates(cell)
    z, r = sigmoid(update_gate(h, x)), sigmoid(reset_gate(h, x))
    return ((1 - z) * h + z * tanh(candidate(r * h, x)),)


def gru_layernorm(cell: Cell, x: Tensor, state: State) -> State:
    return gru(cell, x, state, normalised_gates_of)


def gru_reset_after(cell: Cell, x: Tensor, state: State) -> State:
    (h,), (update_gate, reset_gate, _) = state, gates_of(cell)
    z, r = sigmoid(update_gate(h, x)), sigmoid(reset_gate(h, x))
    inputs, product = (weight[2 * HIDDEN :] for weight in (cell.input_weight, cell.recurrent_weight))
    inside = x @ inputs.T + cell.bias[2 * HIDDEN :] + r * (h @ product.T + cell.get_parameter("reset_bias"))
    return ((1 - z) * h + z * tanh(inside),)


EQUATIONS: dict[str, Equations] = {
    "gru": gru,
    "gru-layernorm": gru_layernorm,
    "gru-reset-after": gru_reset_after,
    "lstm": lstm,
    "lstm-coupled": lstm_coupled,
    "lstm-layernorm": lstm_layernorm,
    "lstm-peephole": lstm_peephole,
    "lstm-peephole+candidate": lstm_peephole_candidate,
    "lstm-peephole-full": lstm_peephole_full,
    "lstm-peephole-full+candidate": lstm_peephole_full_candidate,
    "rnn": rnn,
    "rnn+relu": rnn_relu,
}

hows = pytest.mark.parametrize("how", ["unroll", "loop"])


@dtypes
@hows
@pytest.mark.parametrize("name", CELLS)
def test_a_cell_does_what_its_equations_say(name: str, how: str, dtype: torch.dtype) -> None:
    cell = make_cell(name, dtype)
    inputs, state = make_data(cell, 6, dtype)

    def by_equations(inputs: Tensor, state: State) -> Tensor:
        outputs = []
        for x in inputs:
            state = EQUATIONS[name](cell, x, state)
            outputs.append(state[0])
        return torch.stack(outputs)

    found = outputs_and_gradients(cell, lambda i, s: getattr(cell, how)(i, s)[0], inputs, state)
    assert_same(found, outputs_and_gradients(cell, by_equations, inputs, state), TOLERANCE[dtype])


def as_lstm(cell: Cell) -> nn.RNNBase:
    return copied(nn.LSTM(INPUTS, HIDDEN), cell.input_weight, cell.recurrent_weight, cell.bias, 0 * cell.bias)


def as_rnn(cell: Cell) -> nn.RNNBase:
    kind = "relu" if cell.chosen else "tanh"
    module = nn.RNN(INPUTS, HIDDEN, nonlinearity=kind)
    return copied(module, cell.input_weight, cell.recurrent_weight, cell.bias, 0 * cell.bias)


def as_gru(cell: Cell) -> nn.RNNBase:
    """The z of torch is 1 - z = sigmoid(-a): its rows are those of z with the sign turned; and r comes before it."""

    def turned(weight: Tensor) -> Tensor:
        z, r, c = weight.split(HIDDEN)
        return torch.cat([r, -z, c])

    hidden_bias = torch.cat([0 * cell.bias[: 2 * HIDDEN], cell.get_parameter("reset_bias")])
    weights = [turned(w) for w in (cell.input_weight, cell.recurrent_weight, cell.bias)]
    return copied(nn.GRU(INPUTS, HIDDEN), *weights, hidden_bias)


def copied(module: nn.RNNBase, *weights: Tensor) -> nn.RNNBase:
    """With weights that are still functions of the cell's, so that gradients reach these."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    for key, weight in zip(names, weights, strict=True):
        delattr(module, key)
        setattr(module, key, weight)
    module._flat_weights = list(weights)
    return module


@dtypes
@hows
@pytest.mark.parametrize(
    ("name", "convert"),
    [("lstm", as_lstm), ("rnn", as_rnn), ("rnn+relu", as_rnn), ("gru-reset-after", as_gru)],
)
def test_a_cell_is_that_of_torch(
    name: str, convert: Callable[[Cell], nn.RNNBase], how: str, dtype: torch.dtype
) -> None:
    cell = make_cell(name, dtype)
    inputs, state = make_data(cell, 7, dtype)

    def by_torch(inputs: Tensor, state: State) -> Tensor:
        first = tuple(s.unsqueeze(0) for s in state)
        outputs: Tensor = convert(cell)(inputs, first if len(first) > 1 else first[0])[0]
        return outputs

    found = outputs_and_gradients(cell, lambda i, s: getattr(cell, how)(i, s)[0], inputs, state)
    assert_same(found, outputs_and_gradients(cell, by_torch, inputs, state), TOLERANCE[dtype])
