"""The kernel on cells that are told in unusual ways: it computes what the plain loop does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.gated import GatedCell
from seqtrans.recurrent.kernel import LATE, Product
from seqtrans.recurrent.normalised import NormalisedGates

STEPS, BATCH, INPUTS, HIDDEN = 4, 3, 5, 6


class OneGradientForTwoGates(GatedCell):
    gates = 2

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        return (torch.tanh(gates[0] + gates[1]),)


class AGateNobodyReads(GatedCell):
    gates = 3

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        return (torch.tanh(gates[0]) * torch.sigmoid(gates[2]),)


class AGateIsTheOutput(GatedCell):
    gates = 1
    states = 2

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        return gates[0], state[0]


class TheStateIsTheOutput(GatedCell):
    gates = 1
    states = 2

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        return state[1], torch.sin(gates[0])


class Unlisted(GatedCell):
    """An operation whose result can not be put in a place."""

    gates = 2

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        return (torch.relu(gates[0]).cumsum(1) * 0.1 + gates[1].flip(1),)


class ReadTwice(GatedCell):
    """The first gate has gradients from both functions, and one of them is that of the state as well."""

    gates = 2
    late = 1

    def gated(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> Tensor:
        return torch.sigmoid(gates[0]) * state[0]

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        return (torch.tanh(state[0] + gates[0]) * torch.cos(gates[1]),)


class ALateGateNobodyReads(GatedCell):
    gates = 3
    late = 1

    def gated(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> Tensor:
        return gates[0] * state[0]

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        return (torch.tanh(gates[1]),)


class TwoApart(GatedCell):
    """In the order that `combine` is promised."""

    gates = 3
    apart = 2

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        a, x, y, h, k = gates
        return (torch.tanh(a + 2 * x + 3 * torch.sin(y) + 4 * torch.sin(h) + 5 * k),)


class OwnParameters(GatedCell):
    gates = 1

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.scale = nn.Parameter(torch.randn(hidden))
        self.unused = nn.Parameter(torch.randn(2))
        self.turn = nn.Parameter(torch.randn(hidden, hidden) / hidden)

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        scale, _, turn = own
        return (torch.tanh(gates[0] * scale) @ turn,)


class ReadsItsMemory(GatedCell):
    gates = 1
    states = 3

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.sight = nn.Parameter(torch.randn(3 * hidden, hidden))

    def products(self) -> list[Product]:
        size = self.hidden
        return [Product(size, 0, 2), Product(size, size), Product(size, 0, 1), Product(size, 0, LATE)]

    def weights(self) -> list[Tensor]:
        first, second, third = self.sight.split(self.hidden)
        return [first, self.recurrent, second, third]

    def own(self) -> list[Tensor]:
        return []

    def gated(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> Tensor:
        return torch.sin(gates[0]) * gates[1]

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        a, b, c, d = gates
        return torch.tanh(a + b * torch.sigmoid(c)), torch.sin(d), state[0]


class NormalisedReadTwice(NormalisedGates, ReadTwice):
    pass


CELLS = [
    OneGradientForTwoGates, AGateNobodyReads, AGateIsTheOutput, TheStateIsTheOutput, Unlisted, ReadTwice,
    ALateGateNobodyReads, TwoApart, OwnParameters, ReadsItsMemory, NormalisedReadTwice,
]  # fmt: skip


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("steps", [1, STEPS])
def test_outputs_states_and_gradients_are_those_of_the_loop(kind: type[GatedCell], steps: int) -> None:
    torch.manual_seed(7)
    cell = kind(INPUTS, HIDDEN).double()
    inputs = torch.randn(steps, BATCH, INPUTS, dtype=torch.float64, requires_grad=True)
    state = tuple(torch.randn(BATCH, HIDDEN, dtype=torch.float64, requires_grad=True) for _ in range(cell.states))
    weights = torch.randn(steps, BATCH, HIDDEN, dtype=torch.float64)
    found = []
    for way in (cell.unroll, cell.loop):
        outputs, last = way(inputs, state)
        leaves = [inputs, *state, *cell.parameters()]
        gradients = torch.autograd.grad((outputs * weights).sum(), leaves, allow_unused=True)
        known = [torch.zeros_like(a) if d is None else d for a, d in zip(leaves, gradients, strict=True)]
        found.append([outputs, *last, *known])
    for fast, plain in zip(*found, strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-12, atol=1e-12)


def test_gates_that_are_not_added_up_are_not_normalised() -> None:
    class Both(NormalisedGates, TwoApart):
        pass

    with pytest.raises(ValueError, match="cannot be normalised"):
        Both(INPUTS, HIDDEN)


def test_only_the_last_product_is_late() -> None:
    class Early(ReadsItsMemory):
        def products(self) -> list[Product]:
            return super().products()[::-1]

    with pytest.raises(ValueError, match="only the last product"):
        Early(INPUTS, HIDDEN)
