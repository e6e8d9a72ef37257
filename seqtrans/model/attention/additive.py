"""Bahdanau's additive attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqtrans.model.attention.base import Attention
from seqtrans.model.tensors import score_vector
from seqtrans.recurrent.products import linear


class Additive(Attention):
    """score(q, k) = v . tanh(W_q q + W_k k) (Bahdanau et al. 2015, appendix A.1.2)."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        key_size = query_size
        self.query_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(key_size, query_size)))
        self.key_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(key_size, memory_size)))
        self.vector = score_vector(key_size, fan_in=key_size)

    def keys(self, values_BSD: Tensor) -> Tensor:
        """W_k k for every source position."""
        return linear(values_BSD, self.key_weight)

    def scores(self, query_BTH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Scores of all pairs of query and position, by way of a temporary tensor [B, T, S, A]."""
        queries = linear(query_BTH, self.query_weight)
        return torch.tanh(queries.unsqueeze(2) + keys_BSA.unsqueeze(1)) @ self.vector


PLUGIN = Additive
