"""One operation for a whole sequence of any recurrence whose steps are products and a function of their results.

A loop that autograd records step by step pays for the recording at each small operation, and adds up the weights'
gradients in products of few rows. Here the steps of both passes are flat lists of operations whose results go where
the products read them, and the weights' gradients are single products over all steps.

Shapes: T steps, B batch, H hidden units, G gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.derivation import Derivation, Kept, Passes
from seqtrans.recurrent.factor import Factor
from seqtrans.recurrent.norm import Norm

LATE = -1
"""In place of a state's number: what `gated` gives."""


@dataclass(frozen=True)
class Product:
    """A weight [rows, H] times what is read, plus the next columns of the inputs' part of the gates."""

    rows: int
    inputs: int
    """Columns: as many as rows, or fewer, which then go to the first rows, or none."""
    reads: int = 0
    """The number of the state that is read, or LATE."""

    def added(self, columns: Tensor) -> list[Tensor] | list[None]:
        """What is added in each step, [B, rows]: it lies in one piece, since products read it fastest so."""
        if not self.inputs:
            return [None] * len(columns)
        if self.inputs < self.rows:
            none = columns.new_zeros(*columns.shape[:2], self.rows - self.inputs)
            columns = torch.cat([columns, none], dim=2)
        return list(columns.contiguous().unbind(0))


@dataclass(frozen=True)
class Recurrence:
    """What happens in a step.

    Gates are what the products give, one after the other, and then the columns of the inputs' part that no product
    takes, which there are only where no product reads `gated`. Where the gates are `normalised`, that is what is
    done to each of them first.
    """

    products: list[Product]
    states: int
    normalised: bool
    combine: Derivation
    """Gates one by one, state, own parameters -> the state after."""
    gated: Derivation
    """The other products' gates, state, own parameters -> what that one reads."""

    def __post_init__(self) -> None:
        if any(product.reads == LATE for product in self.early):
            raise ValueError("only the last product may read what `gated` gives")

    @property
    def late(self) -> bool:
        """Whether the last product reads `gated`."""
        return self.products[-1].reads == LATE

    @property
    def early(self) -> list[Product]:
        """The products before that."""
        return self.products[: len(self.products) - self.late]

    def rows(self, parameter: Tensor) -> list[Tensor]:
        """Those of each product."""
        return list(parameter.split([product.rows for product in self.products]))

    def columns(self, projected: Tensor) -> list[Tensor]:
        """The inputs' part of the gates, product by product, and the rest."""
        widths = [product.inputs for product in self.products]
        return list(projected.split([*widths, projected.shape[-1] - sum(widths)], dim=-1))


def run(
    recurrence: Recurrence,
    projected_TBG: Tensor,
    weights: Sequence[Tensor],
    state: State,
    norm: Sequence[Tensor],
    own: Sequence[Tensor],
) -> tuple[Tensor, State]:
    """The outputs [T, B, H] from the inputs' part of the gates [T, B, G*H] and the products' weights.

    `norm` are gain and bias [G*H] of normalised gates. And the last state, through which no gradient goes back.
    """
    with torch.autocast(projected_TBG.device.type, enabled=False):  # all is brought to one type inside
        outputs, *last = _Sequence.apply(recurrence, projected_TBG, *weights, *state, *norm, *own)  # type: ignore[no-untyped-call]
    return outputs, tuple(last)


class _Sequence(torch.autograd.Function):
    """A `run`; the tensors are the weights, the first state, gain and bias, and the own parameters."""

    @staticmethod
    def forward(ctx: Any, do: Recurrence, projected: Tensor, *tensors: Tensor) -> tuple[Tensor, *tuple[Tensor, ...]]:
        low = [tensor.to(projected.dtype) for tensor in tensors]
        counts = [len(do.products), do.states, 2 * do.normalised, len(low)]
        weights, state, norm, own = (low[sum(counts[:n]) : sum(counts[: n + 1])] for n in range(4))
        ctx.loop = loop = _Loop(do, projected.shape[2], tuple(state), norm, own)
        outputs, reads, last = loop.forward(projected, weights)
        ctx.save_for_backward(*weights, *reads)
        last = tuple(tensor.clone() for tensor in last)  # what is kept must not be what is given away
        ctx.mark_non_differentiable(*last)
        return outputs[1:], *last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_last: Tensor) -> tuple[Tensor | None, ...]:
        half = len(ctx.saved_tensors) // 2
        return None, *ctx.loop.backward(grad, ctx.saved_tensors[:half], ctx.saved_tensors[half:])


class _Loop:
    """The steps of one batch."""

    def __init__(self, do: Recurrence, columns: int, state: State, norm: list[Tensor], own: list[Tensor]) -> None:
        self.do, self.early, self.state, self.own = do, do.early, state, own
        self.batch, self.hidden = state[0].shape
        self.alone = columns - sum(product.inputs for product in do.products)
        width = sum(product.rows for product in do.products) + self.alone
        gates = state[0].new_empty(self.batch, width).split(self.hidden, dim=1)
        self.combine = do.combine.of([*gates, *state, *own], range(len(gates)))
        self.reached = [*self.combine.reached[: len(gates)]]
        self.gated: Passes | None = None
        if do.late:
            before = len(gates) - do.products[-1].rows // self.hidden
            self.direct = [number for number in range(before) if self.reached[number]]
            self.indirect = [number for number in range(before) if not self.reached[number]]
            self.gated = do.gated.of([*gates[:before], *state, *own], self.indirect)
            for number in self.indirect:
                self.reached[number] = self.gated.reached[number]
        parts = zip(*(do.rows(parameter) for parameter in norm), strict=True)
        self.norms = [Norm(gain, bias, self.hidden) for gain, bias in parts]
        self.kept: list[tuple[Kept, Kept]] = []

    def forward(self, projected: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, list[Tensor], State]:
        """The first output and those of all steps [T+1, B, H], what each product read [T, B, H], the last state."""
        do, state, own, steps = self.do, self.state, self.own, len(projected)
        factors = [Factor(weight, self.batch) for weight in weights]
        *columns, alone = do.columns(projected)
        added = [product.added(part) for product, part in zip(do.products, columns, strict=True)]
        outputs = projected.new_empty(steps + 1, self.batch, self.hidden)
        outputs[0] = state[0]
        late_reads = projected.new_empty(steps * do.late, self.batch, self.hidden)
        history = [state]
        for t, output in enumerate(outputs[1:].unbind(0)):
            gates: tuple[Tensor, ...] = ()
            for number, product in enumerate(self.early):
                gates += self._gates(number, factors[number].times(state[product.reads], added[number][t]))
            kept: Kept = ()
            if self.alone:
                gates += self._one_by_one(alone[t])
            elif self.gated is not None:
                (read,), kept = self.gated.forward(*gates, *state, *own, late_reads[t])
                gates += self._gates(-1, factors[-1].times(read, added[-1][t]))
            state, kept_last = self.combine.forward(*gates, *state, *own, output)
            self.kept.append((kept, kept_last))
            history.append(state)
        reads = [
            late_reads if k == LATE else outputs[:-1] if k == 0 else torch.stack([past[k] for past in history[:-1]])
            for k in (product.reads for product in do.products)
        ]
        return outputs, reads, state

    def _gates(self, product: int, sums: Tensor) -> tuple[Tensor, ...]:
        return self._one_by_one(self.norms[product].forward(sums) if self.norms else sums)

    def _one_by_one(self, gates: Tensor) -> tuple[Tensor, ...]:
        """Gates that lie side by side [B, g*H]."""
        parts: tuple[Tensor, ...]
        parts = (gates,) if gates.shape[1] == self.hidden else gates.split(self.hidden, dim=1)
        return parts

    def backward(self, grad: Tensor, weights: Sequence[Tensor], reads: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
        """The gradients of the projected inputs, the weights, the first state, gain and bias, the own parameters."""
        do, steps = self.do, len(grad)
        factors = [Factor(weight.t(), self.batch) for weight in weights]
        make = grad.new_empty if all(self.reached) else grad.new_zeros
        d_gates = [make(steps, self.batch, product.rows) for product in do.products]
        d_sums = [torch.empty_like(d) for d in d_gates] if self.norms else d_gates
        d_gains = [torch.empty_like(d) for d in d_gates] if self.norms else []
        d_alone = make(steps, self.batch, self.alone)
        in_order = [d.unbind(0) for d in ([*d_gates, d_alone] if self.alone else d_gates)]
        d_steps, grads = [d.unbind(0) for d in d_sums], grad.unbind(0)
        zeros = torch.zeros_like(grad[0])
        above: list[Tensor | None] = [None] * do.states
        d_own: list[Tensor | None] = []
        exact = torch.promote_types(grad.dtype, torch.float32)

        def through_norm(product: int, t: int) -> None:
            if self.norms:
                self.norms[product].backward(t, d_gates[product][t], d_sums[product][t], d_gains[product][t])

        for t in range(steps - 1, -1, -1):
            places = [place for d in in_order for place in self._one_by_one(d[t])]
            kept, kept_last = self.kept[t]
            above[0] = _sum(above[0], grads[t])
            found = self.combine.backward(*kept_last, *(zeros if d is None else d for d in above), *places)
            if self.gated is not None:
                through_norm(-1, t)
                d_read = factors[-1].times(d_steps[-1][t])
                more = self.gated.backward(*kept, d_read, *(places[number] for number in self.indirect))
                for number, d in zip(self.direct, more, strict=False):
                    if d is not None:
                        places[number].add_(d)
                found = tuple(map(_sum, found, more[len(self.direct) :]))
            above = [*found[: do.states]]
            for number, product in enumerate(self.early):
                through_norm(number, t)
                above[product.reads] = factors[number].times(d_steps[number][t], above[product.reads])
            own = [None if d is None else d.to(exact) for d in found[do.states :]]
            d_own = [*map(_sum, d_own, own)] if d_own else own
        columns = [d[:, :, : product.inputs] for d, product in zip(d_sums, do.products, strict=True) if product.inputs]
        columns += [d_alone] if self.alone else []
        d_projected = columns[0] if len(columns) == 1 else torch.cat(columns, dim=2)
        d_weights = [d.flatten(0, 1).t() @ read.flatten(0, 1) for d, read in zip(d_sums, reads, strict=True)]
        d_norm = [torch.cat([d.sum((0, 1)) for d in parts]) for parts in (d_gains, d_gates)] if self.norms else []
        return d_projected, *d_weights, *above, *d_norm, *d_own


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """Of two gradients, where None is zero."""
    if one is None or other is None:
        return one if other is None else other
    return one + other
