"""Cells told by what happens between the products with their weights.

Shapes: T steps, B batch, I inputs, H hidden units, G gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from seqtrans.recurrent.cells.base import Cell, State
from seqtrans.recurrent.derivation import Derivation
from seqtrans.recurrent.kernel import run
from seqtrans.recurrent.norm import normalise
from seqtrans.recurrent.products import linear
from seqtrans.recurrent.recurrence import LATE, Product, Recurrence


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
        if self.late >= self.gates:
            raise ValueError("late gates read what earlier gates give: a cell has at least one that is not late")
        products = self.products()
        if sum(product.inputs for product in products) != (self.gates - self.apart) * hidden:
            raise ValueError("the products take the inputs' part of all gates but those apart")
        self._recurrence = Recurrence(
            products, self.apart * hidden, self.states, Derivation(self._combine), Derivation(self._gated)
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

    def products(self) -> list[Product]:
        """What a step multiplies; to be overridden, with `weights`, for more than W_h h.

        It is asked for before a subclass has made its parameters.
        """
        rest = (self.late + self.apart) * self.hidden
        first = self.gates * self.hidden - rest
        if self.late:
            return [Product(first, first), Product(rest, rest, LATE)]
        return [Product(first + rest, first)]

    def weights(self) -> list[Tensor]:
        """The matrices of `products`."""
        rest = self.late * self.hidden
        return list(self.recurrent.split([len(self.recurrent) - rest, rest])) if rest else [self.recurrent]

    def norm(self) -> list[Tensor]:
        """Gain and bias [G*H] of the gates' layer normalisation, where there is one."""
        return []

    def step(self, projected: Tensor, state: State) -> State:
        """One step by the equations."""
        do = self._recurrence
        own = [parameter.to(projected.dtype) for parameter in self.own()]
        norm = [do.rows(parameter.to(projected.dtype)) for parameter in self.norm()]
        *columns, alone = do.columns(projected)
        gates: list[Tensor] = []
        for number, (product, weight) in enumerate(zip(do.products, self.weights(), strict=True)):
            sums = linear(self.gated(gates, state, *own) if product.reads == LATE else state[product.reads], weight)
            if product.inputs:
                missing = product.rows - product.inputs
                sums = (F.pad(columns[number], (0, missing)) if missing else columns[number]) + sums
            if norm:
                gain, bias = (part[number] for part in norm)
                sums = normalise(sums, gain, bias, self.hidden)
            gates += self._one_by_one(sums)
        if self.apart:
            gates += self._one_by_one(alone)
        return self._combine([*gates, *state, *own])

    def unroll(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """The outputs and the last state by the kernel, or by steps where nothing is to be differentiated."""
        if not len(inputs_TBI) or not torch.is_grad_enabled():
            return self.loop(inputs_TBI, state)
        return run(self._recurrence, self.project(inputs_TBI), self.weights(), state, self.norm(), self.own())

    def _one_by_one(self, gates: Tensor) -> list[Tensor]:
        return list(gates.split(self.hidden, dim=1))

    def _combine(self, given: Sequence[Tensor]) -> State:
        """`combine`, of all that the kernel has: a product's gates come before those that are only inputs."""
        gates, state, own = self._told_apart(given, sum(product.rows for product in self._recurrence.products))
        summed = len(gates) - 2 * self.apart
        return self.combine(
            [*gates[:summed], *gates[summed + self.apart :], *gates[summed:][: self.apart]], state, *own
        )

    def _gated(self, given: Sequence[Tensor]) -> State:
        gates, state, own = self._told_apart(given, sum(product.rows for product in self._recurrence.early))
        return (self.gated(gates, state, *own),)

    def _told_apart(self, given: Sequence[Tensor], rows: int) -> tuple[Sequence[Tensor], State, Sequence[Tensor]]:
        """Gates, state and own parameters."""
        gates = rows // self.hidden + self.apart
        own = gates + self.states
        return given[:gates], tuple(given[gates:own]), given[own:]
