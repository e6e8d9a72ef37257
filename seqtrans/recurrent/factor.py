"""Matrices laid out once for many products."""

from __future__ import annotations

import torch
from torch import Tensor

from seqtrans.recurrent.packing import packs

WORTHWHILE = 2**23
"""Multiplications in a product from which on the layout gains more than its calls cost."""


class Factor:
    """A matrix [O, I] that the inputs [B, I] of many steps are multiplied with.

    On a CPU oneDNN reads a layout of its own, which makes products of few rows a quarter to three quarters faster.
    """

    def __init__(self, matrix: Tensor, rows: int) -> None:
        self.matrix = matrix
        self.packed: Tensor | None = None
        if matrix.device.type == "cpu" and rows * matrix.numel() >= WORTHWHILE and packs(matrix.dtype):
            self.packed = torch.ops.mkldnn._reorder_linear_weight(matrix.contiguous(), rows)

    def times(self, inputs: Tensor, added: Tensor | None = None) -> Tensor:
        """The inputs times the transposed matrix, plus what is `added` [B, O]."""
        product: Tensor
        if self.packed is None:
            product = inputs @ self.matrix.t() if added is None else torch.addmm(added, inputs, self.matrix.t())
        elif added is None:
            product = torch.ops.mkldnn._linear_pointwise.default(inputs, self.packed, None, "none", [], "")
        else:
            product = torch.ops.mkldnn._linear_pointwise.binary(inputs, added, self.packed, None, "add")
        return product
