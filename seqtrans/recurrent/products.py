"""Products with weights that stay the same at all steps of a loop.

Autograd alone would add up the gradient of such a weight step by step, in products of few rows. Inside
`deferred_gradients` the backward pass of a step only records inputs and output gradients. When all steps have done so,
the weight's gradient is one product over all of them.

The `with` blocks of this module affect their own thread alone: other threads may use other models meanwhile.

Shapes: B batch, N rows, I inputs, O outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from seqtrans.recurrent.packing import PackedWeights
from seqtrans.recurrent.probes import probe

_StepRecords = list[tuple[int, Tensor, Tensor]]
"""For each step: the number of the backward pass, inputs [..., N, I], gradients of the outputs [..., N, O]."""
_LoopWeight = tuple[Tensor, Tensor, _StepRecords]
"""A weight, which is kept so that no other tensor gets its address; its stand-in; the records of its steps."""

# Context variables, since the code between a `with` block and `linear`, which may be a user's, cannot pass arguments.
_loop: ContextVar[dict[Any, _LoopWeight] | None] = ContextVar("a loop's weights by address and shape", default=None)
_packed: ContextVar[PackedWeights | None] = ContextVar("packed weights", default=None)


@contextmanager
def deferred_gradients() -> Iterator[None]:
    """Inside, `linear` defers the gradients of its weights. For the steps of one loop, whose weights do not change."""
    token = _loop.set({} if torch.is_grad_enabled() and _has_pass_numbers() else None)
    try:
        yield
    finally:
        _loop.reset(token)


@contextmanager
def packed_weights(weights: PackedWeights) -> Iterator[None]:
    """Inside, `linear` multiplies with the packed weights, unless gradients are enabled."""
    token = _packed.set(weights)
    try:
        yield
    finally:
        _packed.reset(token)


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The inputs times the transposed weight, plus the bias: [..., N, I] by [O, I] or [B, N, I] by [B, O, I]."""
    loop = _loop.get()
    if weight.dim() == 2 and (loop is None or not _is_recorded(weight)):
        packed = _packed.get()
        if packed is not None and not torch.is_grad_enabled():
            return packed.linear(inputs, weight, bias)
        return F.linear(inputs, weight, bias)
    if loop is None or not _is_recorded(weight):
        outputs = torch.bmm(inputs, weight.mT)
    else:
        key = (weight.data_ptr(), weight.shape, weight.stride())
        if key not in loop:
            records: _StepRecords = []
            stand_in: Tensor = _StandIn.apply(_as_autocast(weight), records)  # type: ignore[no-untyped-call]
            loop[key] = weight, stand_in, records
        _, stand_in, records = loop[key]
        outputs = _Product.apply(_as_autocast(inputs), stand_in, records)  # type: ignore[no-untyped-call]
    return outputs if bias is None else outputs + bias.to(outputs.dtype)


def _is_recorded(weight: Tensor) -> bool:
    """Whether autograd records this use of the weight. Other uses must not share its stand-in."""
    return weight.requires_grad and torch.is_grad_enabled()


def _as_autocast(tensor: Tensor) -> Tensor:
    """Cast as autocast would cast a factor of a product."""
    device = tensor.device.type
    casts = torch.is_autocast_enabled(device) and tensor.dtype != torch.float64
    return tensor.to(torch.get_autocast_dtype(device)) if casts else tensor


class _StandIn(torch.autograd.Function):
    """The weight as all steps see it. Its backward pass comes after those of the steps, and makes the gradient."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, records: _StepRecords) -> Tensor:
        ctx.records = records
        ctx.set_materialize_grads(False)
        return weight.view_as(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _nothing: None) -> tuple[Tensor | None, None]:
        now = _backward_pass()
        factors = [(inputs, grad) for number, inputs, grad in ctx.records if number == now]
        ctx.records.clear()
        if not factors:  # the loss depends on no step's outputs
            return None, None
        inputs, grads = (torch.cat(tensors, dim=-2) for tensors in zip(*factors, strict=True))
        return grads.mT @ inputs, None


class _Product(torch.autograd.Function):
    """One step's product. Its backward pass records the factors of the weight's gradient."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, stand_in: Tensor, records: _StepRecords) -> Tensor:
        ctx.save_for_backward(inputs, stand_in)
        ctx.records = records
        return inputs @ stand_in.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None, None]:
        inputs, stand_in = ctx.saved_tensors
        rows = (inputs.detach(), grad) if stand_in.dim() > 2 else (inputs.detach().flatten(0, -2), grad.flatten(0, -2))
        ctx.records.append((_backward_pass(), *rows))
        return grad @ stand_in if ctx.needs_input_grad[0] else None, None, None


def _backward_pass() -> int:
    """The number of the current backward pass. A pass that never reaches the weights leaves stale records."""
    return torch._C._current_graph_task_id()


@probe("numbers of backward passes", "gradients of weights are added up step by step, which takes longer")
def _has_pass_numbers() -> bool:
    return isinstance(_backward_pass(), int)
