"""Small functions of tensors that several networks share: initial weights, precision, width."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def embedding_weight(vocab: int, units: int) -> nn.Parameter:
    """An embedding matrix: normal with variance 1 / units, so that tied output scores start near a variance of 1."""
    weight = torch.empty(vocab, units)
    if not weight.is_meta:  # on the meta device there are no values, and random numbers would import torch's compiler
        weight.normal_().mul_(units**-0.5)
    return nn.Parameter(weight)


def score_vector(size: int, fan_in: int) -> nn.Parameter:
    """The vector of an additive attention score: uniform between plus and minus 1 / sqrt(fan_in)."""
    vector = torch.empty(size)
    if not vector.is_meta:
        vector.uniform_(-1, 1).div_(fan_in**0.5)
    return nn.Parameter(vector)


def at_least_float32(values: Tensor) -> Tensor:
    """bfloat16 as 32-bit numbers; anything else unchanged."""
    return values.float() if values.dtype == torch.bfloat16 else values


def resized(values: Tensor, columns: int, padding: float = 0.0) -> Tensor:
    """[N, M, ...] -> [N, columns, ...]: padded or cut at the end of dimension 1."""
    unpadded = (0, 0) * (values.dim() - 2)  # the dimensions after 1; F.pad begins with the last
    return F.pad(values, (*unpadded, 0, columns - values.shape[1]), value=padding)
