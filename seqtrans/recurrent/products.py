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

_Noted = list[tuple[Tensor, Tensor]]
"""Inputs [..., N, I] and the gradients of their outputs [..., N, O], a pair a step."""
_Factor = tuple[Tensor, Tensor, _Noted]
"""A matrix, which is kept so that nothing else comes to lie at its address, its stand-in, and its steps."""

_loop: dict[Any, _Factor] | None = None


@contextmanager
def deferred_gradients() -> Iterator[None]:
    """Inside, `linear` defers the gradients of its weights; for steps of one loop whose weights do not change."""
    global _loop  # the steps between here and `linear` are anyone's code
    before, _loop = _loop, {} if torch.is_grad_enabled() else None
    try:
        yield
    finally:
        _loop = before


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The inputs times the transposed weight, plus the bias: [..., N, I] by [O, I] or [B, N, I] by [B, O, I]."""
    if _loop is None:
        return F.linear(inputs, weight, bias) if weight.dim() == 2 else torch.bmm(inputs, weight.mT)
    key = (weight.data_ptr(), weight.shape, weight.stride())
    if key not in _loop:
        noted: _Noted = []
        stand_in: Tensor = _StandIn.apply(weight, _product_type(weight), noted)  # type: ignore[no-untyped-call]
        _loop[key] = weight, stand_in, noted
    _, stand_in, noted = _loop[key]
    outputs: Tensor = _Product.apply(inputs.to(stand_in.dtype), stand_in, noted)  # type: ignore[no-untyped-call]
    return outputs if bias is None else outputs + bias.to(outputs.dtype)


def _product_type(weight: Tensor) -> torch.dtype:
    place = weight.device.type
    return torch.get_autocast_dtype(place) if torch.is_autocast_enabled(place) else weight.dtype


class _StandIn(torch.autograd.Function):
    """The matrix for all steps, in the type of the products; its turn in the backward pass comes after theirs."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, dtype: torch.dtype, noted: _Noted) -> Tensor:
        ctx.noted, ctx.dtype = noted, weight.dtype
        ctx.set_materialize_grads(False)
        return weight.to(dtype) if dtype != weight.dtype else weight.view_as(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _nothing: None) -> tuple[Tensor | None, None, None]:
        if not ctx.noted:  # no step's outputs went into the loss
            return None, None, None
        inputs, grads = (torch.cat(steps, dim=-2) for steps in zip(*ctx.noted, strict=True))
        ctx.noted.clear()
        return (grads.mT @ inputs).to(ctx.dtype), None, None


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
        if ctx.needs_input_grad[1]:
            rows = (inputs.detach(), grad)
            ctx.noted.append(rows if stand_in.dim() > 2 else (rows[0].flatten(0, -2), rows[1].flatten(0, -2)))
        return grad @ stand_in if ctx.needs_input_grad[0] else None, None, None
