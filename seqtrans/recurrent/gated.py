"""Cells told by what happens between the products with their weights.

Shapes: T steps, B batch, I inputs, H hidden units, G gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from seqtrans.recurrent.cells.base import Cell, State
from seqtrans.recurrent.derivation import Derivation
from seqtrans.recurrent.kernel import Recurrence, run
from seqtrans.recurrent.products import linear


class GatedCell(Cell):
    """A cell told by `combine`: the state after a step from the sums of the gates and the state before.

    One kernel runs whatever is told so, and derives its backward pass from `combine`. Parameters beyond those of
    every cell are handed to `combine` and `gated` in the order in which they were made.
    """

    late: ClassVar[int] = 0
    """So many of the last gates read `gated(...)` in place of h."""
    apart: ClassVar[int] = 0
    """So many of the last gates are not added up: `combine` gets W_x x + b of them, and after all these W_h h."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        if self.late and self.apart:
            raise ValueError("the last gates of a cell are either late or apart")
        rest = (self.late + self.apart) * hidden
        self._rows = [self.gates * hidden - rest, rest]
        self._recurrence = Recurrence(
            self._rows, self.states, self.apart > 0, Derivation(self._combine), Derivation(self._gated)
        )

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        """W_h h + W_x x + b of each gate, and the state before, all [B, H] -> the state after."""
        raise NotImplementedError

    def gated(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> Tensor:
        """What the `late` gates read [B, H], from all other gates and the state before."""
        raise NotImplementedError

    def own(self) -> list[Tensor]:
        """The parameters that `combine` and `gated` are handed."""
        every = {"input_weight", "recurrent_weight", "bias"}
        return [parameter for name, parameter in self.named_parameters(recurse=False) if name not in every]

    def step(self, projected: Tensor, state: State) -> State:
        """One step by the equations."""
        own = [parameter.to(projected.dtype) for parameter in self.own()]
        (first, rest), (early, late) = self.recurrent.split(self._rows), projected.split(self._rows, dim=1)
        gates = self._one_by_one(early + linear(state[0], first))
        if self.apart:
            gates += self._one_by_one(late) + self._one_by_one(linear(state[0], rest))
        elif self.late:
            gates += self._one_by_one(late + linear(self.gated(gates, state, *own), rest))
        return self.combine(gates, state, *own)

    def unroll(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """The outputs and the last state by the kernel, or by steps where nothing is to be differentiated."""
        if not len(inputs_TBI) or not torch.is_grad_enabled():
            return self.loop(inputs_TBI, state)
        return run(self._recurrence, self.project(inputs_TBI), self.recurrent, state, self.own())

    def _one_by_one(self, gates: Tensor) -> list[Tensor]:
        return list(gates.split(self.hidden, dim=1))

    def _combine(self, given: Sequence[Tensor]) -> State:
        gates = self.gates + self.apart
        own = gates + self.states
        return self.combine(given[:gates], tuple(given[gates:own]), *given[own:])

    def _gated(self, given: Sequence[Tensor]) -> State:
        gates = self.gates - self.late
        own = gates + self.states
        return (self.gated(given[:gates], tuple(given[gates:own]), *given[own:]),)
