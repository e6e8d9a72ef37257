"""What the networks have in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def embedding(size: int, units: int) -> nn.Parameter:
    """Normal with variance 1/E, so that tied output scores start near a variance of 1."""
    return nn.Parameter(torch.randn(size, units) * units**-0.5)


def widened(values: Tensor) -> Tensor:
    """bfloat16 in 32 bits; anything else as it is."""
    return values.float() if values.dtype == torch.bfloat16 else values


def as_wide(values: Tensor, wide: int, filling: float = 0.0) -> Tensor:
    """[N, M, ...] with `wide` in place of M: filled up at the end, or cut there."""
    behind = (0, 0) * (values.dim() - 2)
    return F.pad(values, (*behind, 0, wide - values.shape[1]), value=filling)
