"""Operations on each tensor of a list: in one call where torch has its private function for that, else one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

Tensors = Sequence[Tensor]


def interpolate_(tensors: Tensors, ends: Tensors, weight: float) -> None:
    """Move each tensor towards its end, by a part `weight` of the way."""
    if (fused := _fused("lerp_")) is not None:
        fused(tensors, ends, weight)
        return
    for tensor, end in zip(tensors, ends, strict=True):
        tensor.lerp_(end, weight)


def copy_(tensors: Tensors, sources: Tensors) -> None:
    """Give each tensor the numbers of its source."""
    if (fused := _fused("copy_")) is not None:
        fused(tensors, sources)
        return
    for tensor, source in zip(tensors, sources, strict=True):
        tensor.copy_(source)


def clamp_(tensors: Tensors, bound: float) -> None:
    """Cut numbers beyond -bound or bound."""
    low, high = _fused("clamp_min_"), _fused("clamp_max_")
    if low is not None and high is not None:
        low(tensors, -bound)
        high(tensors, bound)
        return
    for tensor in tensors:
        tensor.clamp_(-bound, bound)


def scale_(tensors: Tensors, factor: float) -> None:
    """Multiply each tensor by a number."""
    if (fused := _fused("mul_")) is not None:
        fused(tensors, factor)
        return
    for tensor in tensors:
        tensor.mul_(factor)


def norms(tensors: Tensors) -> list[Tensor]:
    """The Euclidean norm of each tensor."""
    if (fused := _fused("norm")) is not None:
        return list(fused(tensors))
    return [torch.linalg.vector_norm(tensor) for tensor in tensors]


def _fused(name: str) -> Any:
    """The private function of torch; None where this version lacks it."""
    return getattr(torch, f"_foreach_{name}", None)
