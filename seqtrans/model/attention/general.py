"""Luong's general (bilinear) attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqtrans.model.attention.base import Attention
from seqtrans.recurrent.products import linear


class General(Attention):
    """score(q, k) = q . W k (Luong et al. 2015, equation 8, "general")."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(query_size, memory_size)))

    def keys(self, values_BSD: Tensor) -> Tensor:
        """W k for every source position."""
        return linear(values_BSD, self.weight)

    def scores(self, query_BTH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Products of each query with each key."""
        return linear(query_BTH, keys_BSA)


PLUGIN = General
