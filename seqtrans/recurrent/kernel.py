"""One operation for a whole sequence of any recurrence whose steps are products and a function of their results.

A loop that autograd records step by step pays for the recording at each small operation, and adds up the weights'
gradients in products of few rows. Here the steps of both passes are flat lists of operations whose results go where
the products read them, and the weights' gradients are single products over all steps.

Shapes: T steps, B batch, H hidden units, G gates.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.derivation import Kept, Passes
from seqtrans.recurrent.factor import Factor
from seqtrans.recurrent.norm import Norm
from seqtrans.recurrent.recurrence import LATE, Recurrence


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
        outputs, *last = _Sequence.apply(recurrence, len(norm), projected_TBG, *weights, *state, *norm, *own)  # type: ignore[no-untyped-call]
    return outputs, tuple(last)


class _Sequence(torch.autograd.Function):
    """A `run`; the tensors are the weights, the first state, gain and bias, and the own parameters."""

    @staticmethod
    def forward(ctx: Any, do: Recurrence, norms: int, projected: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        given = iter([tensor.to(projected.dtype) for tensor in tensors])
        weights, state, norm = (list(islice(given, count)) for count in (len(do.products), do.states, norms))
        own = list(given)
        ctx.loop = loop = _Loop(do, tuple(state), norm, own)
        outputs, reads, last = loop.forward(projected, weights)
        # The loop holds the rest itself: saved, it is an error to change it before the backward pass.
        ctx.save_for_backward(*weights, *reads, outputs, *[projected] * (do.alone > 0), *state, *norm, *own)
        last = tuple(tensor.clone() for tensor in last)  # what is kept must not be what is given away
        ctx.mark_non_differentiable(*last)
        return outputs[1:], *last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_last: Tensor) -> tuple[Tensor | None, ...]:
        saved, count = ctx.saved_tensors, len(ctx.loop.do.products)
        return None, None, *ctx.loop.backward(grad, saved[:count], saved[count : 2 * count])


class _Loop:
    """The steps of one batch."""

    def __init__(self, do: Recurrence, state: State, norm: list[Tensor], own: list[Tensor]) -> None:
        self.do, self.early, self.state, self.own = do, do.early, state, own
        self.batch, self.hidden = state[0].shape
        width = sum(product.rows for product in do.products) + do.alone
        gates = state[0].new_empty(self.batch, width).split(self.hidden, dim=1)
        self.combine = do.combine.of([*gates, *state, *own], range(len(gates)))
        self.reached = [*self.combine.reached[: len(gates)]]
        self.gated: Passes | None = None
        if do.late:
            before = len(gates) - do.products[-1].rows // self.hidden
            # Gates that `combine` reads too get two gradients, which are added; the others' have a place of their own.
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
            if do.alone:
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
        parts: tuple[Tensor, ...]  # a call less for a single one
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
        d_alone = [make(steps, self.batch, do.alone)] if do.alone else []
        in_order = [d.unbind(0) for d in [*d_gates, *d_alone]]
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
                through_gated = self.gated.backward(*kept, d_read, *(places[number] for number in self.indirect))
                for number, d in zip(self.direct, through_gated, strict=False):
                    if d is not None:
                        places[number].add_(d)
                found = tuple(map(_sum, found, through_gated[len(self.direct) :]))
            above = [*found[: do.states]]
            for number, product in enumerate(self.early):
                through_norm(number, t)
                above[product.reads] = factors[number].times(d_steps[number][t], above[product.reads])
            d_own_t = [None if d is None else d.to(exact) for d in found[do.states :]]
            d_own = [*map(_sum, d_own, d_own_t)] if d_own else d_own_t
        columns = [d[:, :, : product.inputs] for d, product in zip(d_sums, do.products, strict=True) if product.inputs]
        columns += d_alone
        d_projected = columns[0] if len(columns) == 1 else torch.cat(columns, dim=2)
        d_weights = [d.flatten(0, 1).t() @ read.flatten(0, 1) for d, read in zip(d_sums, reads, strict=True)]
        # As autograd has it, these have the type of the rest, though they are added up in float32.
        d_norm = [torch.cat([d.sum((0, 1)) for d in parts]) for parts in (d_gains, d_gates)] if self.norms else []
        return d_projected, *d_weights, *above, *d_norm, *d_own


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """Of two gradients, where None is zero."""
    if one is None or other is None:
        return one if other is None else other
    return one + other
