"""What every attention is.

Shapes: B sentences, T queries of each (time steps in training, hypotheses in a search), S source positions,
H query units, D memory units, A key units.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from seqtrans.model.memory import Memory
from seqtrans.model.tensors import at_least_float32
from seqtrans.recurrent.products import linear


class Attention(nn.Module):
    """Scores every source position against a query and averages the memory by the softmax of the scores.

    Queries have `query_size` units (H), vectors of the memory `memory_size` (D).
    """

    aligns: ClassVar[bool] = True
    """Whether the weights over the source can be read as an alignment."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.query_size = query_size

    def keys(self, values_BSD: Tensor) -> Tensor:
        """What the scores need of the memory, computed once for each sentence: [B, S, D] -> [B, S, A]."""
        return values_BSD

    def scores(self, query_BTH: Tensor, keys_BSA: Tensor) -> Tensor:
        """The score of each source position for each query: [B, T, S]."""
        raise NotImplementedError

    def forward(self, query_BTH: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """The context vectors [B, T, D] and the weights [B, T, S], which sum to 1 over S."""
        scores = self.scores(query_BTH, memory.keys_BSA) + memory.padding_BS.unsqueeze(1)
        weights = torch.softmax(at_least_float32(scores), dim=2)
        context = linear(weights.to(memory.values_BSD.dtype), memory.values_BSD.mT)  # weights @ values
        return context, weights
