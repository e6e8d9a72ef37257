"""Products of the steps of a loop with matrices that stay the same throughout it.

A loop that autograd records step by step adds up the gradient of such a matrix step by step, in products of few
rows. Inside `deferred_gradients` the steps only record what they multiplied, and the gradient is one product over
all steps after the last.

What holds inside a `with` block holds in its thread alone: others may use other models meanwhile.

Shapes: N rows, I inputs, O outputs; a batch of matrices may stand before them.
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

_Steps = list[tuple[int, Tensor, Tensor]]
"""The number of the backward pass, inputs [..., N, I] and the gradients of their outputs [..., N, O], of each step."""
_Matrix = tuple[Tensor, Tensor, _Steps]
"""A matrix, which is kept so that nothing else comes to lie at its address, its stand-in, and its steps."""

# The steps between a `with` block and `linear` are anyone's code, which cannot pass these on.
_loop: ContextVar[dict[Any, _Matrix] | None] = ContextVar("the matrices of a loop, by address and shape", default=None)
_packed: ContextVar[PackedWeights | None] = ContextVar("packed weights", default=None)


@contextmanager
def deferred_gradients() -> Iterator[None]:
    """Inside, `linear` defers the gradients of its weights; for steps of one loop whose weights do not change."""
    token = _loop.set({} if torch.is_grad_enabled() and _has_pass_numbers() else None)
    try:
        yield
    finally:
        _loop.reset(token)


@contextmanager
def packed_weights(weights: PackedWeights) -> Iterator[None]:
    """Inside, `linear` multiplies with what `weights` has packed, wherever no gradient is wanted."""
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
            steps: _Steps = []
            stand_in: Tensor = _StandIn.apply(_as_autocast(weight), steps)  # type: ignore[no-untyped-call]
            loop[key] = weight, stand_in, steps
        _, stand_in, steps = loop[key]
        outputs = _Product.apply(_as_autocast(inputs), stand_in, steps)  # type: ignore[no-untyped-call]
    return outputs if bias is None else outputs + bias.to(outputs.dtype)


def _is_recorded(weight: Tensor) -> bool:
    """Whether autograd records this use; one that it does not record must not pass for one that it does."""
    return weight.requires_grad and torch.is_grad_enabled()


def _as_autocast(tensor: Tensor) -> Tensor:
    """In the type to which autocast, where it is on, would bring a product's factor."""
    place = tensor.device.type
    casts = torch.is_autocast_enabled(place) and tensor.dtype != torch.float64
    return tensor.to(torch.get_autocast_dtype(place)) if casts else tensor


class _StandIn(torch.autograd.Function):
    """The matrix for all steps; its turn in the backward pass comes after theirs."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, steps: _Steps) -> Tensor:
        ctx.steps = steps
        ctx.set_materialize_grads(False)
        return weight.view_as(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _nothing: None) -> tuple[Tensor | None, None]:
        now = _backward_pass()
        steps = [(inputs, grad) for number, inputs, grad in ctx.steps if number == now]
        ctx.steps.clear()
        if not steps:  # no step's outputs went into the loss
            return None, None
        inputs, grads = (torch.cat(tensors, dim=-2) for tensors in zip(*steps, strict=True))
        return grads.mT @ inputs, None


class _Product(torch.autograd.Function):
    """One step's product."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, stand_in: Tensor, steps: _Steps) -> Tensor:
        ctx.save_for_backward(inputs, stand_in)
        ctx.steps = steps
        return inputs @ stand_in.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None, None]:
        inputs, stand_in = ctx.saved_tensors
        rows = (inputs.detach(), grad) if stand_in.dim() > 2 else (inputs.detach().flatten(0, -2), grad.flatten(0, -2))
        ctx.steps.append((_backward_pass(), *rows))
        return grad @ stand_in if ctx.needs_input_grad[0] else None, None, None


def _backward_pass() -> int:
    """The number of the current backward pass: one that ends before the weights leaves its steps behind."""
    return torch._C._current_graph_task_id()


@probe("numbers of backward passes", "gradients of weights are added up step by step, which takes longer")
def _has_pass_numbers() -> bool:
    return isinstance(_backward_pass(), int)
