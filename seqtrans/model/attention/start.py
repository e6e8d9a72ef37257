"""No attention: the source reaches the decoder only through the state that the decoder starts in."""

from __future__ import annotations

import torch
from torch import Tensor

from seqtrans.model.attention.none import FixedContext
from seqtrans.model.memory import Memory


class StartOnly(FixedContext):
    """Every context is zero; only `Decoder.start` sees the source (after Sutskever et al. 2014, section 2)."""

    def forward(self, query_BTH: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Zeros for every query, and weights of zero: there is no alignment."""
        context, weights = super().forward(query_BTH, memory)
        return torch.zeros_like(context), weights


PLUGIN = StartOnly
