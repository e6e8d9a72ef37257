"""Additive attention by several heads.

Shapes: as in `base`, and N heads.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from seqtrans.model.attention.base import Attention
from seqtrans.model.memory import Memory
from seqtrans.model.tensors import at_least_float32, score_vector
from seqtrans.recurrent.products import linear

HEADS = 4
"""The number of heads, as in RNMT+. If the query's size is not a multiple of it: their greatest common divisor."""


class MultiHeadAdditive(Attention):
    """Chen et al. 2018 (RNMT+), section 3: Bahdanau's attention in N heads, among which the units are divided.

    Head n: score_n(q, m) = v_n . tanh(W_qn q + W_kn m) for each vector m of the memory; context_n = the mean of
    W_vn m over the memory, weighted by the softmax of score_n. The context is W_o [context_1; ..; context_N]; the
    weights that are returned are the mean over the heads.
    """

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        self.heads = math.gcd(HEADS, query_size)
        self.query_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(query_size, query_size)))
        self.key_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(query_size, memory_size)))
        self.value_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(query_size, memory_size)))
        self.output_weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(memory_size, query_size)))
        self.vector = score_vector(query_size, fan_in=query_size // self.heads)

    def keys(self, values_BSD: Tensor) -> Tensor:
        """[W_k m; W_v m] for each vector m of the memory, all heads side by side."""
        return torch.cat([linear(values_BSD, self.key_weight), linear(values_BSD, self.value_weight)], dim=2)

    def forward(self, query_BTH: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """The context vectors [B, T, D] and the mean weights [B, T, S]."""
        keys, values = memory.keys_BSA.chunk(2, dim=2)
        queries = linear(query_BTH, self.query_weight)
        products_BTSA = torch.tanh(queries.unsqueeze(2) + keys.unsqueeze(1)) * self.vector.to(keys.dtype)
        scores_BTSN = products_BTSA.unflatten(3, (self.heads, -1)).sum(dim=4) + memory.padding_BS[:, None, :, None]
        weights_BTSN = torch.softmax(at_least_float32(scores_BTSN), dim=2)
        contexts = torch.einsum("btsn,bsna->btna", weights_BTSN.to(values.dtype), values.unflatten(2, (self.heads, -1)))
        return linear(contexts.flatten(2), self.output_weight), weights_BTSN.mean(dim=3)


PLUGIN = MultiHeadAdditive
