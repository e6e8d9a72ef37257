"""Products of the steps of a loop with matrices that stay the same throughout it.

A loop that autograd records step by step adds up the gradient of such a matrix step by step, in products of few
rows. Inside `deferred_gradients` the steps only note what they multiplied, and the gradient is one product over
all steps after the last.

Shapes: N rows, I inputs, O outputs; a batch of matrices may stand before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from seqtrans.recurrent.packing import PackedWeights

_Noted = list[tuple[int, Tensor, Tensor]]
"""The backward pass, inputs [..., N, I] and the gradients of their outputs [..., N, O], of each step."""
_Factor = tuple[Tensor, Tensor, _Noted]
"""A matrix, which is kept so that nothing else comes to lie at its address, its stand-in, and its steps."""

_loop: dict[Any, _Factor] | None = None
_packed: PackedWeights | None = None


@contextmanager
def deferred_gradients() -> Iterator[None]:
    """Inside, `linear` defers the gradients of its weights; for steps of one loop whose weights do not change."""
    global _loop  # the steps between here and `linear` are anyone's code
    before, _loop = _loop, {} if torch.is_grad_enabled() else None
    try:
        yield
    finally:
        _loop = before


@contextmanager
def packed_weights(weights: PackedWeights) -> Iterator[None]:
    """Inside, `linear` multiplies with what `weights` has packed, wherever no gradient is wanted."""
    global _packed  # the steps between here and `linear` are anyone's code
    before, _packed = _packed, weights
    try:
        yield
    finally:
        _packed = before


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The inputs times the transposed weight, plus the bias: [..., N, I] by [O, I] or [B, N, I] by [B, O, I]."""
    if weight.dim() == 2 and (_loop is None or not _records(weight)):
        if _packed is not None and not torch.is_grad_enabled():
            return _packed.linear(inputs, weight, bias)
        return F.linear(inputs, weight, bias)
    if _loop is None or not _records(weight):
        outputs = torch.bmm(inputs, weight.mT)
    else:
        key = (weight.data_ptr(), weight.shape, weight.stride())
        if key not in _loop:
            noted: _Noted = []
            stand_in: Tensor = _StandIn.apply(_as_autocast(weight), noted)  # type: ignore[no-untyped-call]
            _loop[key] = weight, stand_in, noted
        _, stand_in, noted = _loop[key]
        outputs = _Product.apply(_as_autocast(inputs), stand_in, noted)  # type: ignore[no-untyped-call]
    return outputs if bias is None else outputs + bias.to(outputs.dtype)


def _records(weight: Tensor) -> bool:
    """Whether autograd follows this use; one that it does not must not pass for one that it does."""
    return weight.requires_grad and torch.is_grad_enabled()


def _as_autocast(tensor: Tensor) -> Tensor:
    """In the type to which autocast, where it is on, would bring a product's factor."""
    place = tensor.device.type
    casts = torch.is_autocast_enabled(place) and tensor.dtype != torch.float64
    return tensor.to(torch.get_autocast_dtype(place)) if casts else tensor


class _StandIn(torch.autograd.Function):
    """The matrix for all steps; its turn in the backward pass comes after theirs."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, noted: _Noted) -> Tensor:
        ctx.noted = noted
        ctx.set_materialize_grads(False)
        return weight.view_as(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _nothing: None) -> tuple[Tensor | None, None]:
        now = _backward_pass()
        steps = [(inputs, grad) for number, inputs, grad in ctx.noted if number == now]
        ctx.noted.clear()
        if not steps:  # no step's outputs went into the loss
            return None, None
        inputs, grads = (torch.cat(tensors, dim=-2) for tensors in zip(*steps, strict=True))
        return grads.mT @ inputs, None


class _Product(torch.autograd.Function):
    """One step's product."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, stand_in: Tensor, noted: _Noted) -> Tensor:
        ctx.save_for_backward(inputs, stand_in)
        ctx.noted = noted
        return inputs @ stand_in.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None, None]:
        inputs, stand_in = ctx.saved_tensors
        rows = (inputs.detach(), grad) if stand_in.dim() > 2 else (inputs.detach().flatten(0, -2), grad.flatten(0, -2))
        ctx.noted.append((_backward_pass(), *rows))
        return grad @ stand_in if ctx.needs_input_grad[0] else None, None, None


def _backward_pass() -> int:
    """The number of the backward pass under way: one that ends before the weights leaves its steps noted."""
    return torch._C._current_graph_task_id()
