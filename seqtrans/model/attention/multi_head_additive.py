"""Additive attention by several heads."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from seqtrans.model.attention.base import Attention
from seqtrans.model.memory import Memory
from seqtrans.model.tensors import at_least_float32, score_vector
from seqtrans.recurrent.products import linear

HEADS = 4
"""As in RNMT+; if the query's size is not a multiple of it, their greatest common divisor."""


class MultiHeadAdditive(Attention):
    """Chen et al. 2018 (RNMT+), section 3: Bahdanau's attention in several heads, among which the units are divided.

    Head n: score_n(q, k) = v_n . tanh(W_qn q + W_kn k), context_n = the mean of W_vn m over the memory m.
    The context is W_o [context_1; ..; context_N]; the weights that are returned are the mean over the heads.
    """

    def __init__(self, query: int, memory: int) -> None:
        super().__init__(query, memory)
        self.heads = math.gcd(HEADS, query)
        self.query_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(query, query)))
        self.key_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(query, memory)))
        self.value_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(query, memory)))
        self.output_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(memory, query)))
        self.vector = score_vector(query, fan_in=query // self.heads)

    def keys(self, values_BSD: Tensor) -> Tensor:
        """W_k m, and W_v m beside it."""
        return torch.cat([linear(values_BSD, self.key_weight), linear(values_BSD, self.value_weight)], dim=2)

    def forward(self, query_BTH: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """The context vectors [B, T, D] and the mean weights [B, T, S]."""
        keys, values = memory.keys_BSA.chunk(2, dim=2)
        queries = linear(query_BTH, self.query_weight)
        together = torch.tanh(queries.unsqueeze(2) + keys.unsqueeze(1)) * self.vector.to(keys.dtype)
        scores = together.unflatten(3, (self.heads, -1)).sum(dim=4) + memory.padding_BS[:, None, :, None]
        weights = torch.softmax(at_least_float32(scores), dim=2)
        of_heads = torch.einsum("btsn,bsna->btna", weights.to(values.dtype), values.unflatten(2, (self.heads, -1)))
        return linear(of_heads.flatten(2), self.output_weight), weights.mean(dim=3)


PLUGIN = MultiHeadAdditive
