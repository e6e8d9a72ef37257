"""Matrices of a training that are packed once for the products of all steps (see `packing`).

Shapes: B batch, I inputs, O outputs.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from seqtrans.recurrent.packing import packing_works

WORTHWHILE = 2**23
"""The number of multiplications in a product from which packing saves more time than it costs."""


class PackedMatrix:
    """A matrix [O, I] for products with the inputs [B, I] of many steps; packed if that is faster.

    On a CPU, packing makes products of few rows a quarter to three quarters faster.
    """

    def __init__(self, matrix: Tensor, rows: int) -> None:
        self.matrix = matrix
        self.packed: Tensor | None = None
        if matrix.device.type == "cpu" and rows * matrix.numel() >= WORTHWHILE and _has_layout(matrix.dtype):
            self.packed = _packed(matrix, rows)

    def times(self, inputs: Tensor, added: Tensor | None = None) -> Tensor:
        """The inputs [B, I] times the transposed matrix, plus `added` [B, O]."""
        if self.packed is not None:
            return _product(inputs, self.packed, added)
        return inputs @ self.matrix.t() if added is None else torch.addmm(added, inputs, self.matrix.t())


def _packed(matrix: Tensor, rows: int) -> Tensor:
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(matrix.contiguous(), rows)
    return packed


def _product(inputs: Tensor, packed: Tensor, added: Tensor | None) -> Tensor:
    product: Tensor
    if added is None:
        product = torch.ops.mkldnn._linear_pointwise.default(inputs, packed, None, "none", [], "")
    else:
        product = torch.ops.mkldnn._linear_pointwise.binary(inputs, added, packed, None, "add")
    return product


@cache
def _has_layout(dtype: torch.dtype) -> bool:
    """Whether torch has these private functions, and their products of this type are correct."""
    if not packing_works(dtype):
        return False
    generator = torch.Generator().manual_seed(1)
    inputs, matrix, added = (torch.randn(*shape, generator=generator) for shape in ((3, 8), (4, 8), (3, 4)))
    inputs, matrix, added = inputs.to(dtype), matrix.to(dtype), added.to(dtype)
    tolerance = 0.1 if dtype == torch.bfloat16 else 1e-4
    try:
        packed = _packed(matrix, 3)
        products = _product(inputs, packed, None), _product(inputs, packed, added)
    except Exception:  # whatever a changed function does
        return False
    plain = inputs @ matrix.t()
    pairs = zip(products, (plain, plain + added), strict=True)
    return all(torch.allclose(one, other, rtol=tolerance, atol=tolerance) for one, other in pairs)
