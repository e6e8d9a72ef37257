"""No attention: the source reaches the decoder only through its first state."""

from __future__ import annotations

import torch
from torch import Tensor

from seqtrans.model.attention.none import FixedContext
from seqtrans.model.memory import Memory


class StartOnly(FixedContext):
    """Sutskever et al. 2014, section 2: the decoder starts from the encoder's last state, and every context is zero."""

    def forward(self, query_BTH: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Zeros for every query, and weights of zero: there is no alignment."""
        context, weights = super().forward(query_BTH, memory)
        return torch.zeros_like(context), weights


PLUGIN = StartOnly
