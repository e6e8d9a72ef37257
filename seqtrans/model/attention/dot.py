"""Dot-product attention."""

from __future__ import annotations

from torch import Tensor

from seqtrans.errors import UsageError
from seqtrans.model.attention.base import Attention
from seqtrans.recurrent.products import linear


class Dot(Attention):
    """score(q, k) = q . k (Luong et al. 2015, equation 8, "dot")."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        if query_size != memory_size:
            raise UsageError(
                f"attention 'dot' needs queries and memory of one size, not {query_size} and {memory_size}"
            )

    def scores(self, query_BTH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Products of each query with each memory vector."""
        return linear(query_BTH, keys_BSA)


PLUGIN = Dot
