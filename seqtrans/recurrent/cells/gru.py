"""The gated recurrent unit as its paper defines it: the reset gate acts before the product."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from seqtrans.recurrent.cells.base import Cell, State
from seqtrans.recurrent.products import linear


class GRU(Cell):
    """Cho et al. 2014, section 2.3, with the update gate's meaning of Chung et al. 2014.

    z = sigmoid(W_z [h, x] + b_z)      r = sigmoid(W_r [h, x] + b_r)
    c = tanh(W_c [r * h, x] + b_c)     h_t = (1 - z) * h_{t-1} + z * c

    The rows of the weights are z, r, c. torch and cuDNN compute another cell, r * (W_c h + b).
    """

    gates = 3

    def step(self, projected: Tensor, state: State) -> State:
        """One step by the equations."""
        (h,) = state
        split = [2 * self.hidden, self.hidden]
        gate_weight, candidate_weight = self.recurrent_weight.split(split)
        gate_inputs, candidate_inputs = projected.split(split, dim=1)
        z, r = torch.sigmoid(gate_inputs + linear(h, gate_weight)).chunk(2, dim=1)
        c = torch.tanh(candidate_inputs + linear(r * h, candidate_weight))
        return ((1 - z) * h + z * c,)

    def sequence(self, inputs_TBI: Tensor, state: State) -> Tensor:
        """The same as one operation, whose weight gradients are single products over all steps."""
        if not len(inputs_TBI):
            return self.loop(inputs_TBI, state)
        outputs: Tensor = _GRUSequence.apply(self.project(inputs_TBI), state[0], self.recurrent_weight)  # type: ignore[no-untyped-call]
        return outputs


class _GRUSequence(torch.autograd.Function):
    """Projected inputs [T, B, 3H], the first h [B, H] and the recurrent weight [3H, H] -> outputs [T, B, H]."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, first: Tensor, weight: Tensor) -> Tensor:
        dtype, hidden = projected.dtype, first.shape[1]
        weight, first = weight.to(dtype), first.to(dtype)
        gate_weight, candidate_weight = weight[: 2 * hidden].t(), weight[2 * hidden :].t()
        zr = torch.empty_like(projected[..., : 2 * hidden])
        c = torch.empty_like(projected[..., :hidden])
        gated, states = torch.empty_like(c), c.new_empty(len(projected) + 1, *first.shape)
        states[0] = first
        for t, step in enumerate(projected.unbind(0)):
            h = states[t]
            torch.addmm(step[:, : 2 * hidden], h, gate_weight, out=zr[t]).sigmoid_()
            z, r = zr[t].chunk(2, dim=1)
            torch.mul(r, h, out=gated[t])
            torch.addmm(step[:, 2 * hidden :], gated[t], candidate_weight, out=c[t]).tanh_()
            torch.lerp(h, c[t], z, out=states[t + 1])
        ctx.save_for_backward(weight, zr, c, gated, states)
        return states[1:].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight, zr, c, gated, states = ctx.saved_tensors
        hidden = c.shape[-1]
        gate_weight, candidate_weight = weight[: 2 * hidden], weight[2 * hidden :]
        z, r = zr.chunk(2, dim=2)
        # everything that does not wait for the recurrence, for all steps at once
        into_z = (c - states[:-1]) * z * (1 - z)
        into_c = z * (1 - c * c)
        into_r = states[:-1] * r * (1 - r)
        keep = 1 - z
        d_gates = torch.empty_like(torch.cat([zr, c], dim=2))
        d_h = torch.zeros_like(states[0])
        for t in range(len(c) - 1, -1, -1):
            d_h = d_h + grad[t]
            d_c = torch.mul(d_h, into_c[t], out=d_gates[t, :, 2 * hidden :])
            d_gated = d_c @ candidate_weight
            torch.mul(d_h, into_z[t], out=d_gates[t, :, :hidden])
            torch.mul(d_gated, into_r[t], out=d_gates[t, :, hidden : 2 * hidden])
            d_h = d_h.mul_(keep[t]).addcmul_(d_gated, r[t])
            d_h = torch.addmm(d_h, d_gates[t, :, : 2 * hidden], gate_weight)
        flat = d_gates.flatten(0, 1).t()
        d_weight = torch.cat([flat[: 2 * hidden] @ states[:-1].flatten(0, 1), flat[2 * hidden :] @ gated.flatten(0, 1)])
        return d_gates, d_h, d_weight


PLUGIN = GRU
