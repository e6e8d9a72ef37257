"""Bahdanau's additive attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqtrans.model.attention.base import Attention
from seqtrans.model.tensors import score_vector
from seqtrans.recurrent.products import linear


class Additive(Attention):
    """score(q, k) = v . tanh(W_q q + W_k k) (Bahdanau et al. 2015, appendix A.1.2)."""

    def __init__(self, query: int, memory: int) -> None:
        super().__init__(query, memory)
        size = query
        self.query_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(size, query)))
        self.key_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(size, memory)))
        self.vector = score_vector(size, fan_in=size)

    def keys(self, values_BSD: Tensor) -> Tensor:
        """W_k k for every source position."""
        return linear(values_BSD, self.key_weight)

    def scores(self, query_BTH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Scores of all pairs of query and position, by way of a temporary tensor [B, T, S, A]."""
        queries = linear(query_BTH, self.query_weight)
        return torch.tanh(queries.unsqueeze(2) + keys_BSA.unsqueeze(1)) @ self.vector


PLUGIN = Additive
