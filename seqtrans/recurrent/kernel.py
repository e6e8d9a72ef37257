"""One operation for a whole sequence of any recurrence whose steps are products and a function of their results.

A loop that autograd records step by step pays for the recording at each small operation, and adds up the weights'
gradients in products of few rows. Here the steps of both passes are flat lists of operations, and the weights'
gradients are single products over all steps.

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
from seqtrans.recurrent.derivation import Derivation, Kept
from seqtrans.recurrent.factor import Factor


@dataclass(frozen=True)
class Recurrence:
    """What happens in a step.

    The first gates are W_h h + x. The rest are W_h `gated` + x or, where `apart`, x and then as many W_h h.
    """

    rows: list[int]
    """Of the recurrent weight, for the first gates and for the rest."""
    states: int
    apart: bool
    combine: Derivation
    """Gates one by one, state, own parameters -> the state after."""
    gated: Derivation
    """The first gates one by one, state, own parameters -> what the rest read in place of h."""

    @property
    def late(self) -> bool:
        """Whether there are gates that wait for others."""
        return self.rows[1] > 0 and not self.apart


def run(
    recurrence: Recurrence, projected_TBG: Tensor, weight: Tensor, state: State, own: Sequence[Tensor]
) -> tuple[Tensor, State]:
    """The outputs [T, B, H] from the inputs' part of the gates [T, B, G*H] and the recurrent weight [G*H, H].

    And the last state, through which no gradient goes back.
    """
    with torch.autocast(projected_TBG.device.type, enabled=False):  # all is brought to one type inside
        outputs, *last = _Sequence.apply(recurrence, projected_TBG, weight, *state, *own)  # type: ignore[no-untyped-call]
    return outputs, tuple(last)


class _Sequence(torch.autograd.Function):
    """A `run`; the tensors after the weight are the first state and the own parameters."""

    @staticmethod
    def forward(
        ctx: Any, do: Recurrence, projected: Tensor, weight: Tensor, *rest: Tensor
    ) -> tuple[Tensor, *tuple[Tensor, ...]]:
        weight, *low = (tensor.to(projected.dtype) for tensor in (weight, *rest))
        state, own = tuple(low[: do.states]), low[do.states :]
        batch, hidden = state[0].shape
        first, others = (Factor(rows, batch) for rows in weight.split(do.rows))
        like = projected.new_empty(batch, sum(do.rows) + do.apart * do.rows[1]).split(hidden, dim=1)
        combine = do.combine.of([*like, *state, *own])
        gated = do.gated.of([*like[: do.rows[0] // hidden], *state, *own]) if do.late else None
        outputs: list[Tensor] = []
        reads: list[Tensor] = []
        kept: list[tuple[Kept, Kept]] = []
        for inputs in projected.unbind(0):
            early, late = inputs.split(do.rows, dim=1)
            gates = first.times(state[0], early).split(hidden, dim=1)
            kept_early: Kept = ()
            if do.apart:
                gates += late.split(hidden, dim=1) + others.times(state[0]).split(hidden, dim=1)
            elif gated is not None:
                (read,), kept_early = gated.forward(*gates, *state, *own)
                reads.append(read)
                gates += others.times(read, late).split(hidden, dim=1)
            state, kept_late = combine.forward(*gates, *state, *own)
            kept.append((kept_early, kept_late))
            outputs.append(state[0])
        stacked = torch.stack(outputs)
        ctx.do, ctx.gated, ctx.combine, ctx.kept, ctx.reads = do, gated, combine, kept, reads
        ctx.save_for_backward(weight, low[0], stacked)
        last = tuple(tensor.clone() for tensor in state)  # what is kept must not be what is given away
        ctx.mark_non_differentiable(*last)
        return stacked, *last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_last: Tensor) -> tuple[Tensor | None, ...]:
        do: Recurrence = ctx.do
        weight, start, outputs = ctx.saved_tensors
        steps, batch, hidden = grad.shape
        first, others = (Factor(rows.t(), batch) for rows in weight.split(do.rows))
        early, late = (rows // hidden for rows in do.rows)
        zeros = grad.new_zeros(batch, hidden)
        d_projected = grad.new_empty(steps, batch, sum(do.rows))
        d_first, d_rest = d_projected.split(do.rows, dim=2)
        d_products = torch.empty_like(d_rest) if do.apart else d_rest
        above: list[Tensor | None] = [None] * do.states
        d_own: list[Tensor | None] = []

        def put(gradients: list[Tensor | None], place: Tensor) -> Tensor:
            """Side by side where they belong."""
            return torch.cat([zeros if d is None else d for d in gradients], dim=1, out=place)

        for t in range(steps - 1, -1, -1):
            above[0] = _sum(above[0], grad[t])
            kept_early, kept_late = ctx.kept[t]
            found = list(ctx.combine.backward(*kept_late, *(zeros if d is None else d for d in above)))
            d_early, found = found[:early], found[early:]
            if late:
                put(found[:late], d_rest[t])
                found = found[late:]
            if do.apart:
                put(found[:late], d_products[t])
                found = found[late:]
            elif do.late:
                more = ctx.gated.backward(*kept_early, others.times(d_rest[t]))
                d_early = [*map(_sum, d_early, more[:early])]
                found = [*map(_sum, found, more[early:])]
            above, own = found[: do.states], found[do.states :]
            exact = [None if d is None else d.to(torch.promote_types(d.dtype, torch.float32)) for d in own]
            d_own = [*map(_sum, d_own, exact)] if d_own else exact
            above[0] = first.times(put(d_early, d_first[t]), above[0])
            if do.apart:
                above[0] = others.times(d_products[t], above[0])
        before = torch.cat([start.unsqueeze(0), outputs[:-1]])
        d_weight = d_first.flatten(0, 1).t() @ before.flatten(0, 1)
        if late:
            read = torch.stack(ctx.reads) if do.late else before
            d_weight = torch.cat([d_weight, d_products.flatten(0, 1).t() @ read.flatten(0, 1)])
        return None, d_projected, d_weight, *above, *d_own


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """Of two gradients, where None is zero."""
    if one is None or other is None:
        return one if other is None else other
    return one + other
