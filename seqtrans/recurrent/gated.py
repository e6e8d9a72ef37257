"""Cells that are given by what happens between the products with their weights.

Shapes: T steps, B batch, I inputs, H hidden units, G gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from seqtrans.recurrent.cells.base import Cell, State
from seqtrans.recurrent.kernel import run
from seqtrans.recurrent.norm import normalise
from seqtrans.recurrent.passes import TracedFunction, can_trace
from seqtrans.recurrent.products import linear
from seqtrans.recurrent.recurrence import GATED, Product, Recurrence


class GatedCell(Cell):
    """A cell that is given by `combine`: the state after a step from the sums of the gates and the state before.

    One kernel runs all such cells, and derives their backward pass from `combine`. Parameters beyond those of every
    cell are passed to `combine` and `gated` in the order in which they were made.
    """

    gated_gates: ClassVar[int] = 0
    """How many of the last gates read `gated(...)` in place of h."""
    split_gates: ClassVar[int] = 0
    """How many of the last gates `combine` gets in two parts: W_x x + b of each, and after all of these W_h h."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        if self.gated_gates and self.split_gates:
            raise ValueError("a cell has either gated_gates or split_gates")
        if self.gated_gates >= self.gates:
            raise ValueError("gated_gates must be fewer than gates: `gated` reads at least one of the others")
        products = self.products()
        if sum(product.inputs for product in products) != (self.gates - self.split_gates) * hidden:
            raise ValueError("the products must take the inputs' part of all gates but the split ones")
        combine, gated = TracedFunction(self._combine), TracedFunction(self._gated)
        self._recurrence = Recurrence(products, self.split_gates * hidden, self.states, combine, gated)

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        """W_h h + W_x x + b of each gate, and the state before, all [B, H] -> the state after."""
        raise NotImplementedError

    def gated(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> Tensor:
        """What the last `gated_gates` gates read [B, H], from all other gates and the state before."""
        raise NotImplementedError

    def own(self) -> list[Tensor]:
        """The parameters that `combine` and `gated` are given."""
        of_every_cell = {"input_weight", "recurrent_weight", "bias"}
        return [parameter for name, parameter in self.named_parameters(recurse=False) if name not in of_every_cell]

    def products(self) -> list[Product]:
        """The products of a step; to be overridden, with `weights`, for more than W_h h.

        This is called before a subclass has made its parameters.
        """
        rest = (self.gated_gates + self.split_gates) * self.hidden
        first = self.gates * self.hidden - rest
        if self.gated_gates:
            return [Product(first, first), Product(rest, rest, GATED)]
        return [Product(first + rest, first)]

    def weights(self) -> list[Tensor]:
        """The matrices of `products`."""
        rest = self.gated_gates * self.hidden
        return list(self.recurrent.split([len(self.recurrent) - rest, rest])) if rest else [self.recurrent]

    def norm(self) -> list[Tensor]:
        """Gain and bias [G*H] of the gates' layer normalisation, where there is one."""
        return []

    def step(self, projected: Tensor, state: State) -> State:
        """One step by the equations."""
        recurrence = self._recurrence
        own = [parameter.to(projected.dtype) for parameter in self.own()]
        norm = [recurrence.rows(parameter.to(projected.dtype)) for parameter in self.norm()]
        *columns, split = recurrence.columns(projected)
        gates: list[Tensor] = []
        for number, (product, weight) in enumerate(zip(recurrence.products, self.weights(), strict=True)):
            sums = linear(self.gated(gates, state, *own) if product.reads == GATED else state[product.reads], weight)
            if product.inputs:
                missing = product.rows - product.inputs
                sums = (F.pad(columns[number], (0, missing)) if missing else columns[number]) + sums
            if norm:
                gain, bias = (part[number] for part in norm)
                sums = normalise(sums, gain, bias, self.hidden)
            gates += self._one_by_one(sums)
        if self.split_gates:
            gates += self._one_by_one(split)
        return self._combine([*gates, *state, *own])

    def unroll(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """The outputs and the last state by the kernel, or by steps where nothing is to be differentiated."""
        if not len(inputs_TBI) or not torch.is_grad_enabled():
            return self.loop(inputs_TBI, state)
        if not can_trace():
            return Cell.unroll(self, inputs_TBI, state)
        return run(self._recurrence, self.project(inputs_TBI), self.weights(), state, self.norm(), self.own())

    def _one_by_one(self, gates: Tensor) -> list[Tensor]:
        return list(gates.split(self.hidden, dim=1))

    def _combine(self, arguments: Sequence[Tensor]) -> State:
        """`combine`, of gates in the kernel's order: those of products come before the inputs' parts of split ones."""
        gates, state, own = self._parts(arguments, self._recurrence.products)
        summed = len(gates) - 2 * self.split_gates
        products, inputs = gates[summed : summed + self.split_gates], gates[summed + self.split_gates :]
        return self.combine([*gates[:summed], *inputs, *products], state, *own)

    def _gated(self, arguments: Sequence[Tensor]) -> State:
        gates, state, own = self._parts(arguments, self._recurrence.first_products)
        return (self.gated(gates, state, *own),)

    def _parts(
        self, arguments: Sequence[Tensor], products: Sequence[Product]
    ) -> tuple[Sequence[Tensor], State, Sequence[Tensor]]:
        """The gates of some products and the inputs' parts of split ones; the state; own parameters."""
        gates = sum(product.rows for product in products) // self.hidden + self.split_gates
        end = gates + self.states
        return arguments[:gates], tuple(arguments[gates:end]), arguments[end:]
