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
from seqtrans.recurrent.factor import Factor
from seqtrans.recurrent.norm import Norm
from seqtrans.recurrent.passes import Passes, Saved
from seqtrans.recurrent.recurrence import GATED, Recurrence


def run(
    recurrence: Recurrence,
    projected_TBG: Tensor,
    weights: Sequence[Tensor],
    state: State,
    norm: Sequence[Tensor],
    own: Sequence[Tensor],
) -> tuple[Tensor, State]:
    """The outputs [T, B, H] from the inputs' part of the gates [T, B, G*H] and the products' weights.

    `norm` are gain and bias [G*H] of normalised gates. The second result is the last state, through which no gradient
    goes back.
    """
    with torch.autocast(projected_TBG.device.type, enabled=False):  # all tensors get one type inside
        outputs, *last = _Sequence.apply(recurrence, len(norm), projected_TBG, *weights, *state, *norm, *own)  # type: ignore[no-untyped-call]
    return outputs, tuple(last)


class _Sequence(torch.autograd.Function):
    """A `run`; the tensors are the weights, the first state, gain and bias, and the own parameters."""

    @staticmethod
    def forward(
        ctx: Any, recurrence: Recurrence, norms: int, projected: Tensor, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        counts = len(recurrence.products), recurrence.states, norms
        rest = iter([tensor.to(projected.dtype) for tensor in tensors])
        weights, state, norm = (list(islice(rest, count)) for count in counts)
        own = list(rest)
        ctx.steps = steps = _Steps(recurrence, tuple(state), norm, own)
        outputs, reads, last = steps.forward(projected, weights)
        # The steps hold the rest themselves: saved, it is an error to change it before the backward pass.
        rest_saved = [*[projected] * (recurrence.split_columns > 0), *state, *norm, *own]
        ctx.save_for_backward(*weights, *reads, outputs, *rest_saved)
        last = tuple(tensor.clone() for tensor in last)  # what is saved must not be what is given away
        ctx.mark_non_differentiable(*last)
        return outputs[1:], *last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_last: Tensor) -> tuple[Tensor | None, ...]:
        saved, count = ctx.saved_tensors, len(ctx.steps.recurrence.products)
        return None, None, *ctx.steps.backward(grad, saved[:count], saved[count : 2 * count])


class _Steps:
    """The steps of one batch. d_x is the gradient of x."""

    def __init__(self, recurrence: Recurrence, state: State, norm: list[Tensor], own: list[Tensor]) -> None:
        self.recurrence, self.state, self.own = recurrence, state, own
        self.first_products = recurrence.first_products
        self.batch, self.hidden = state[0].shape
        width = sum(product.rows for product in recurrence.products) + recurrence.split_columns
        gates = state[0].new_empty(self.batch, width).split(self.hidden, dim=1)
        self.combine = recurrence.combine.passes([*gates, *state, *own], range(len(gates)))
        self.has_gradient = [*self.combine.has_gradient[: len(gates)]]
        """Of each gate."""
        self.gated: Passes | None = None
        if recurrence.has_gated_product:
            first = len(gates) - recurrence.products[-1].rows // self.hidden
            # A gate that `combine` reads too has two gradients, which are added; others write into their buffer.
            self.read_twice = [number for number in range(first) if self.has_gradient[number]]
            self.read_once = [number for number in range(first) if not self.has_gradient[number]]
            self.gated = recurrence.gated.passes([*gates[:first], *state, *own], self.read_once)
            for number in self.read_once:
                self.has_gradient[number] = self.gated.has_gradient[number]
        parts = zip(*(recurrence.rows(parameter) for parameter in norm), strict=True)
        self.norms = [Norm(gain, bias, self.hidden) for gain, bias in parts]
        self.saved: list[tuple[Saved, Saved]] = []
        """Of each step what the backward passes of `gated` and `combine` need."""

    def forward(self, projected: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, list[Tensor], State]:
        """The first output and those of all steps [T+1, B, H], what each product read [T, B, H], the last state."""
        recurrence, state, own, steps = self.recurrence, self.state, self.own, len(projected)
        factors = [Factor(weight, self.batch) for weight in weights]
        *columns, split = recurrence.columns(projected)
        added = [product.added(part) for product, part in zip(recurrence.products, columns, strict=True)]
        outputs = projected.new_empty(steps + 1, self.batch, self.hidden)
        outputs[0] = state[0]
        gated_reads = projected.new_empty(steps * recurrence.has_gated_product, self.batch, self.hidden)
        history = [state]
        for t, output in enumerate(outputs[1:].unbind(0)):
            gates: tuple[Tensor, ...] = ()
            for number, product in enumerate(self.first_products):
                gates += self._gates(number, factors[number].times(state[product.reads], added[number][t]))
            saved: Saved = ()
            if recurrence.split_columns:
                gates += self._one_by_one(split[t])
            elif self.gated is not None:
                (read,), saved = self.gated.forward(*gates, *state, *own, gated_reads[t])
                gates += self._gates(-1, factors[-1].times(read, added[-1][t]))
            state, saved_by_combine = self.combine.forward(*gates, *state, *own, output)
            self.saved.append((saved, saved_by_combine))
            history.append(state)
        before = history[:-1]
        reads = [
            gated_reads if k == GATED else outputs[:-1] if k == 0 else torch.stack([past[k] for past in before])
            for k in (product.reads for product in recurrence.products)
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
        recurrence, steps = self.recurrence, len(grad)
        factors = [Factor(weight.t(), self.batch) for weight in weights]
        make = grad.new_empty if all(self.has_gradient) else grad.new_zeros
        d_gates = [make(steps, self.batch, product.rows) for product in recurrence.products]
        d_sums = [torch.empty_like(d) for d in d_gates] if self.norms else d_gates
        d_gains = [torch.empty_like(d) for d in d_gates] if self.norms else []
        d_split = [make(steps, self.batch, recurrence.split_columns)] if recurrence.split_columns else []
        all_buffers = [d.unbind(0) for d in [*d_gates, *d_split]]
        d_steps, grads = [d.unbind(0) for d in d_sums], grad.unbind(0)
        zeros = torch.zeros_like(grad[0])
        d_state: list[Tensor | None] = [None] * recurrence.states
        d_own: list[Tensor | None] = []
        exact = torch.promote_types(grad.dtype, torch.float32)

        def through_norm(product: int, t: int) -> None:
            if self.norms:
                self.norms[product].backward(t, d_gates[product][t], d_sums[product][t], d_gains[product][t])

        for t in range(steps - 1, -1, -1):
            buffers = [buffer for d in all_buffers for buffer in self._one_by_one(d[t])]
            saved, saved_by_combine = self.saved[t]
            d_state[0] = _sum(d_state[0], grads[t])
            d_rest = self.combine.backward(*saved_by_combine, *(zeros if d is None else d for d in d_state), *buffers)
            if self.gated is not None:
                through_norm(-1, t)
                d_read = factors[-1].times(d_steps[-1][t])
                through_gated = self.gated.backward(*saved, d_read, *(buffers[number] for number in self.read_once))
                for number, d in zip(self.read_twice, through_gated, strict=False):
                    if d is not None:
                        buffers[number].add_(d)
                d_rest = tuple(map(_sum, d_rest, through_gated[len(self.read_twice) :]))
            d_state = [*d_rest[: recurrence.states]]
            for number, product in enumerate(self.first_products):
                through_norm(number, t)
                d_state[product.reads] = factors[number].times(d_steps[number][t], d_state[product.reads])
            d_own_t = [None if d is None else d.to(exact) for d in d_rest[recurrence.states :]]
            d_own = [*map(_sum, d_own, d_own_t)] if d_own else d_own_t
        pairs = zip(d_sums, recurrence.products, strict=True)
        columns = [d[:, :, : product.inputs] for d, product in pairs if product.inputs] + d_split
        d_projected = columns[0] if len(columns) == 1 else torch.cat(columns, dim=2)
        d_weights = [d.flatten(0, 1).t() @ read.flatten(0, 1) for d, read in zip(d_sums, reads, strict=True)]
        # As autograd has it, these have the type of the rest, though they are added up in float32.
        d_norm = [torch.cat([d.sum((0, 1)) for d in parts]) for parts in (d_gains, d_gates)] if self.norms else []
        return d_projected, *d_weights, *d_state, *d_norm, *d_own


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """Of two gradients, where None is zero."""
    if one is None or other is None:
        return one if other is None else other
    return one + other
