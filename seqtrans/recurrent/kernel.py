"""Runs a recurrent layer over a whole sequence as one autograd operation with a backward pass of its own.

A loop that autograd records step by step pays for the recording of each small operation, and adds up the weights'
gradients in products of few rows. Here a step of either pass is a flat list of operations, which write their results
where the products read them, and the gradient of each weight is one product over all steps.

Shapes: T steps, B batch, H hidden units, K gates of one product, G units of all gates together (H per gate).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.norm import Norm
from seqtrans.recurrent.packed_matrix import PackedMatrix
from seqtrans.recurrent.passes import Passes, Saved
from seqtrans.recurrent.recurrence import GATED, Recurrence


def run(
    recurrence: Recurrence,
    projected_TBG: Tensor,
    weights: Sequence[Tensor],
    state: State,
    norm: Sequence[Tensor],
    extra_parameters: Sequence[Tensor],
) -> tuple[Tensor, State]:
    """The outputs [T, B, H] from the projected inputs W_x x + b and the weights of the products.

    `norm` has gain and bias [G] if the gates are normalised, and is empty otherwise. `extra_parameters` are what
    `combine` and `gated` get after the state. The second result is the last state, through which no gradient goes back.
    """
    tensors = [*weights, *state, *norm, *extra_parameters]
    with torch.autocast(projected_TBG.device.type, enabled=False):  # all tensors get one type inside
        outputs, *last = _Sequence.apply(recurrence, len(norm), projected_TBG, *tensors)  # type: ignore[no-untyped-call]
    return outputs, tuple(last)


class _Sequence(torch.autograd.Function):
    """`run` for autograd. The tensors are the weights, the initial state, gain and bias, and the extra parameters."""

    @staticmethod
    def forward(
        ctx: Any, recurrence: Recurrence, norms: int, projected: Tensor, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        counts = len(recurrence.products), recurrence.states, norms
        rest = iter([tensor.to(projected.dtype) for tensor in tensors])
        weights, state, norm = (list(islice(rest, count)) for count in counts)
        extra_parameters = list(rest)
        ctx.unrolled = unrolled = _UnrolledRecurrence(recurrence, tuple(state), norm, extra_parameters)
        outputs, reads, last = unrolled.forward(projected, weights)
        # `unrolled` holds these itself. They are saved only so that autograd reports in-place changes of them.
        watched = [*[projected] * (recurrence.split_columns > 0), *state, *norm, *extra_parameters]
        ctx.save_for_backward(*weights, *reads, outputs, *watched)
        # Copies, since `unrolled` holds the originals, and a caller may change in place what is returned.
        last = tuple(tensor.clone() for tensor in last)
        ctx.mark_non_differentiable(*last)
        return outputs[1:], *last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *_last: Tensor) -> tuple[Tensor | None, ...]:
        saved, count = ctx.saved_tensors, len(ctx.unrolled.recurrence.products)
        return None, None, *ctx.unrolled.backward(grad, saved[:count], saved[count : 2 * count])


@dataclass(frozen=True)
class _GateGradients:
    """Gradients at all steps, with a tensor [T, B, K*H] for each product; the backward pass fills them step by step."""

    gates: list[Tensor]
    sums: list[Tensor]
    """Of the gates before normalisation. Without normalisation they are the same tensors as `gates`."""
    gains: list[Tensor]
    """Of the gain of normalised gates, still to be summed over steps and sentences. Else empty."""
    split: list[Tensor]
    """Of the projected inputs of split gates: one tensor [T, B, split_columns], or none."""


class _UnrolledRecurrence:
    """The forward and the backward pass over all steps of one batch. d_x is the gradient of x."""

    def __init__(
        self, recurrence: Recurrence, state: State, norm: list[Tensor], extra_parameters: list[Tensor]
    ) -> None:
        self.recurrence, self.state, self.extra_parameters = recurrence, state, extra_parameters
        self.state_products = recurrence.state_products
        self.batch, self.hidden = state[0].shape
        width = sum(product.rows for product in recurrence.products) + recurrence.split_columns
        gates = state[0].new_empty(self.batch, width).split(self.hidden, dim=1)
        self.combine = recurrence.combine.passes([*gates, *state, *extra_parameters], range(len(gates)))
        self.has_gradient = [*self.combine.has_gradient[: len(gates)]]
        """For each gate: whether a backward pass writes its gradient. No function reads the others."""
        self.gated: Passes | None = None
        if recurrence.has_gated_product:
            first = len(gates) - recurrence.products[-1].rows // self.hidden
            self.gates_of_combine = [number for number in range(first) if self.has_gradient[number]]
            """Gates that `combine` reads. `gated` may read them too: then their gradients from both are added."""
            self.gates_of_gated = [number for number in range(first) if not self.has_gradient[number]]
            """Gates that `combine` does not read: the backward pass of `gated` writes their gradients into buffers."""
            self.gated = recurrence.gated.passes([*gates[:first], *state, *extra_parameters], self.gates_of_gated)
            for number in self.gates_of_gated:
                self.has_gradient[number] = self.gated.has_gradient[number]
        parts = zip(*(recurrence.rows(parameter) for parameter in norm), strict=True)
        self.norms = [Norm(gain, bias, self.hidden) for gain, bias in parts]
        self.saved: list[tuple[Saved, Saved]] = []
        """For each step: what the backward passes of `gated` and `combine` need."""

    def forward(self, projected: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, list[Tensor], State]:
        """The initial h and the outputs of all steps [T+1, B, H]; what each product read [T, B, H]; the last state."""
        recurrence, state, extra_parameters, steps = self.recurrence, self.state, self.extra_parameters, len(projected)
        matrices = [PackedMatrix(weight, self.batch) for weight in weights]
        *columns, split = recurrence.columns(projected)
        added = [product.added(part) for product, part in zip(recurrence.products, columns, strict=True)]
        outputs = projected.new_empty(steps + 1, self.batch, self.hidden)
        outputs[0] = state[0]
        gated_results = projected.new_empty(steps * recurrence.has_gated_product, self.batch, self.hidden)
        history = [state]
        for t, output in enumerate(outputs[1:].unbind(0)):
            gates: tuple[Tensor, ...] = ()
            for number, product in enumerate(self.state_products):
                gates += self._gates(number, matrices[number].times(state[product.reads], added[number][t]))
            saved: Saved = ()
            if recurrence.split_columns:
                gates += self._single_gates(split[t])
            elif self.gated is not None:
                (read,), saved = self.gated.forward(*gates, *state, *extra_parameters, gated_results[t])
                gates += self._gates(-1, matrices[-1].times(read, added[-1][t]))
            state, saved_by_combine = self.combine.forward(*gates, *state, *extra_parameters, output)
            self.saved.append((saved, saved_by_combine))
            history.append(state)
        before = history[:-1]
        reads = [
            gated_results if k == GATED else outputs[:-1] if k == 0 else torch.stack([past[k] for past in before])
            for k in (product.reads for product in recurrence.products)
        ]
        return outputs, reads, state

    def _gates(self, product: int, sums: Tensor) -> tuple[Tensor, ...]:
        """The gates of a product from its result, each [B, H]."""
        return self._single_gates(self.norms[product].forward(sums) if self.norms else sums)

    def _single_gates(self, gates: Tensor) -> tuple[Tensor, ...]:
        """[B, K*H] -> K tensors [B, H]."""
        parts: tuple[Tensor, ...]  # one gate needs no call of `split`
        parts = (gates,) if gates.shape[1] == self.hidden else gates.split(self.hidden, dim=1)
        return parts

    def backward(self, grad: Tensor, weights: Sequence[Tensor], reads: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
        """The gradients of projected inputs, weights, initial state, gain and bias, extra parameters.

        From the last step to the first, with `grad(t)` for the gradient of output t, and Jacobian matrices of `combine`
        and `gated`:

            d(t)         = d_state(t) + (grad(t), 0, ...)       the whole gradient of the state after step t
            d_gates(t)   = (d combine / d gates)^T d(t) + (d gated / d gates)^T d_read(t)
            d_sums(t)    = d_gates(t), passed back through the normalisation if there is one
            d_read(t)    = W^T d_sums(t)                        for the product that reads the result of `gated`
            d_state(t-1) = (d combine / d state)^T d(t) + (d gated / d state)^T d_read(t)
                           + W^T d_sums(t)                      for each other product, in the state that it reads
            d_W          = sum over t of d_sums(t) read(t)^T    for each product, at once after the last step
        """
        recurrence, steps = self.recurrence, len(grad)
        matrices = [PackedMatrix(weight.t(), self.batch) for weight in weights]
        buffers = self._gradient_buffers(grad)
        all_gates = [d.unbind(0) for d in [*buffers.gates, *buffers.split]]
        d_sums, grads = [d.unbind(0) for d in buffers.sums], grad.unbind(0)
        zeros = torch.zeros_like(grad[0])
        d_state: list[Tensor | None] = [None] * recurrence.states
        d_extra: list[Tensor | None] = []
        sum_dtype = torch.promote_types(grad.dtype, torch.float32)
        for t in range(steps - 1, -1, -1):
            d_gates = [gate for d in all_gates for gate in self._single_gates(d[t])]
            saved, saved_by_combine = self.saved[t]
            d_state[0] = _sum(d_state[0], grads[t])
            d_rest = self.combine.backward(*saved_by_combine, *(zeros if d is None else d for d in d_state), *d_gates)
            if self.gated is not None:
                self._backward_norm(-1, t, buffers)
                d_read = matrices[-1].times(d_sums[-1][t])
                d_rest = tuple(map(_sum, d_rest, self._backward_gated(self.gated, saved, d_read, d_gates)))
            d_state = [*d_rest[: recurrence.states]]
            for number, product in enumerate(self.state_products):
                self._backward_norm(number, t, buffers)
                d_state[product.reads] = matrices[number].times(d_sums[number][t], d_state[product.reads])
            d_extra_t = [None if d is None else d.to(sum_dtype) for d in d_rest[recurrence.states :]]
            d_extra = [*map(_sum, d_extra, d_extra_t)] if d_extra else d_extra_t
        d_projected, d_weights, d_norm = self._over_all_steps(buffers, reads)
        return d_projected, *d_weights, *d_state, *d_norm, *d_extra

    def _gradient_buffers(self, grad: Tensor) -> _GateGradients:
        """Not yet filled; the gradients of gates that no function reads stay zero."""
        make = grad.new_empty if all(self.has_gradient) else grad.new_zeros
        steps, split_columns = len(grad), self.recurrence.split_columns
        gates = [make(steps, self.batch, product.rows) for product in self.recurrence.products]
        return _GateGradients(
            gates,
            sums=[torch.empty_like(d) for d in gates] if self.norms else gates,
            gains=[torch.empty_like(d) for d in gates] if self.norms else [],
            split=[make(steps, self.batch, split_columns)] if split_columns else [],
        )

    def _backward_gated(
        self, gated: Passes, saved: Saved, d_result: Tensor, d_gates: Sequence[Tensor]
    ) -> tuple[Tensor | None, ...]:
        """Write or add the gradients of the gates that `gated` reads; return those of state and extra parameters."""
        gradients = gated.backward(*saved, d_result, *(d_gates[number] for number in self.gates_of_gated))
        for number, d in zip(self.gates_of_combine, gradients, strict=False):
            if d is not None:
                d_gates[number].add_(d)
        return gradients[len(self.gates_of_combine) :]

    def _backward_norm(self, product: int, t: int, d: _GateGradients) -> None:
        """Pass the gradients of a product's gates at step t back through the normalisation, if there is one."""
        if self.norms:
            self.norms[product].backward(t, d.gates[product][t], d.sums[product][t], d.gains[product][t])

    def _over_all_steps(self, d: _GateGradients, reads: Sequence[Tensor]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """The gradients of projected inputs, weights, gain and bias from those of all steps."""
        pairs = zip(d.sums, self.recurrence.products, strict=True)
        columns = [sums[:, :, : product.inputs] for sums, product in pairs if product.inputs] + d.split
        d_projected = columns[0] if len(columns) == 1 else torch.cat(columns, dim=2)
        d_weights = [sums.flatten(0, 1).t() @ read.flatten(0, 1) for sums, read in zip(d.sums, reads, strict=True)]
        # Added up in float32, but of the gates' type, as autograd does it. The bias has the gradient of the gates.
        d_norm = [torch.cat([one.sum((0, 1)) for one in parts]) for parts in (d.gains, d.gates)] if self.norms else []
        return d_projected, d_weights, d_norm


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """Of two gradients, where None is zero."""
    if one is None or other is None:
        return one if other is None else other
    return one + other
