"""Cells defined by the equations of their gates; products with weights, loop and backward pass are supplied.

Shapes: T steps, B batch, I inputs, H hidden units, G units of all gates together (H per gate), K gates of one product.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqtrans.recurrent.cells.base import Cell, State
from seqtrans.recurrent.kernel import run
from seqtrans.recurrent.norm import normalise
from seqtrans.recurrent.passes import TracedFunction, Traces, can_trace
from seqtrans.recurrent.products import linear
from seqtrans.recurrent.recurrence import GATED, Product, Recurrence

_ATTRIBUTES = {*vars(nn.Module()), "hidden", "recorded_outputs", "_masked_weight", "_recurrence", "_own_traces"}
"""The attributes that every cell has."""


class GatedCell(Cell):
    """A cell defined by `combine`: the state after a step, from the gates' sums W [h, x] + b and the state before.

    One kernel runs all such cells, and derives their backward pass from `combine`. Parameters that a subclass adds are
    passed to `combine` and `gated` after the state, in the order in which they were made.
    """

    gated_gates: ClassVar[int] = 0
    """How many of the last gates read the result of `gated` in place of h: W [gated(...), x] + b."""
    split_gates: ClassVar[int] = 0
    """How many of the last gates `combine` gets in two parts: first W_x x + b of each of them, then W_h h of each."""

    _shared_traces: ClassVar[tuple[Traces, Traces]]
    """Passes of `combine` and of `gated`, for all instances whose equations are those of the class."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._shared_traces = {}, {}

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self._own_traces: tuple[Traces, Traces] = {}, {}
        if self.gated_gates and self.split_gates:
            raise ValueError("a cell has either gated_gates or split_gates")
        if self.gated_gates >= self.gates:
            raise ValueError("gated_gates must be fewer than gates: `gated` reads at least one of the others")
        products = self.products()
        if sum(product.inputs for product in products) != (self.gates - self.split_gates) * hidden:
            raise ValueError("the products together must add the projected inputs of all gates but the split ones")
        combine, gated = (
            TracedFunction(function, partial(self._traces_of, number))
            for number, function in enumerate((self._combine, self._gated))
        )
        self._recurrence = Recurrence(products, self.split_gates * hidden, self.states, combine, gated)

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        """The state after the step, from the sum W_h h + W_x x + b of each gate and the state before, all [B, H].

        `gated_gates` and `split_gates` say what stands for the sums of the last gates.
        """
        raise NotImplementedError

    def gated(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> Tensor:
        """What the last `gated_gates` gates read in place of h [B, H], from the sums of the other gates and the state.

        For example r * h, which the candidate of a GRU reads, or the new C, which the output gate of a peephole LSTM
        reads.
        """
        raise NotImplementedError

    def extra_parameters(self) -> list[Tensor]:
        """What `combine` and `gated` get after the state: the parameters that not every cell has."""
        of_every_cell = {"input_weight", "recurrent_weight", "bias"}
        return [parameter for name, parameter in self.named_parameters(recurse=False) if name not in of_every_cell]

    def products(self) -> list[Product]:
        """The products of a step. Override it, together with `weights`, if there are more than W_h h.

        This is called before a subclass has made its parameters.
        """
        rest = (self.gated_gates + self.split_gates) * self.hidden
        first = self.gates * self.hidden - rest
        if self.gated_gates:
            return [Product(first, first), Product(rest, rest, GATED)]
        return [Product(first + rest, first)]

    def weights(self) -> list[Tensor]:
        """The weights of `products`, [rows, H] each."""
        rest = self.gated_gates * self.hidden
        return list(self.recurrent.split([len(self.recurrent) - rest, rest])) if rest else [self.recurrent]

    def norm(self) -> list[Tensor]:
        """Gain and bias [G] of the gates' layer normalisation; none without it."""
        return []

    def step(self, projected: Tensor, state: State) -> State:
        """One step by the equations."""
        recurrence = self._recurrence
        extra_parameters = [parameter.to(projected.dtype) for parameter in self.extra_parameters()]
        norm = [recurrence.rows(parameter.to(projected.dtype)) for parameter in self.norm()]
        *columns, split = recurrence.columns(projected)
        gates: list[Tensor] = []
        for number, (product, weight) in enumerate(zip(recurrence.products, self.weights(), strict=True)):
            is_gated = product.reads == GATED
            sums = linear(self.gated(gates, state, *extra_parameters) if is_gated else state[product.reads], weight)
            if product.inputs:
                missing = product.rows - product.inputs
                sums = (F.pad(columns[number], (0, missing)) if missing else columns[number]) + sums
            if norm:
                gain, bias = (part[number] for part in norm)
                sums = normalise(sums, gain, bias, self.hidden)
            gates += self._single_gates(sums)
        if self.split_gates:
            gates += self._single_gates(split)
        return self._combine([*gates, *state, *extra_parameters])

    def unroll(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """The outputs and the last state by the kernel, or step by step if there are no gradients."""
        if not len(inputs_TBI) or not torch.is_grad_enabled():
            return self.loop(inputs_TBI, state)
        if not can_trace():
            return Cell.unroll(self, inputs_TBI, state)
        projected, extra_parameters = self.project(inputs_TBI), self.extra_parameters()
        return run(self._recurrence, projected, self.weights(), state, self.norm(), extra_parameters)

    def _traces_of(self, number: int) -> Traces:
        """The passes of `combine` (0) or `gated` (1), shared if nothing but parameters tells the instances apart."""
        is_like_its_class = vars(self).keys() <= _ATTRIBUTES and not self._buffers and not self._modules
        return (self._shared_traces if is_like_its_class else self._own_traces)[number]

    def _single_gates(self, gates: Tensor) -> list[Tensor]:
        """[B, K*H] -> K tensors [B, H]."""
        return list(gates.split(self.hidden, dim=1))

    def _combine(self, arguments: Sequence[Tensor]) -> State:
        """`combine` for the kernel, in whose order W_h h of the split gates comes before their W_x x + b."""
        gates, state, extra_parameters = self._parts(arguments, self._recurrence.products)
        summed = len(gates) - 2 * self.split_gates
        products, inputs = gates[summed : summed + self.split_gates], gates[summed + self.split_gates :]
        return self.combine([*gates[:summed], *inputs, *products], state, *extra_parameters)

    def _gated(self, arguments: Sequence[Tensor]) -> State:
        """`gated` for the kernel."""
        gates, state, extra_parameters = self._parts(arguments, self._recurrence.state_products)
        return (self.gated(gates, state, *extra_parameters),)

    def _parts(
        self, arguments: Sequence[Tensor], products: Sequence[Product]
    ) -> tuple[Sequence[Tensor], State, Sequence[Tensor]]:
        """The kernel's arguments as gates (those of `products`, then split columns), state and extra parameters."""
        gates = sum(product.rows for product in products) // self.hidden + self.split_gates
        end = gates + self.states
        return arguments[:gates], tuple(arguments[gates:end]), arguments[end:]
