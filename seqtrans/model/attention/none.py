"""No attention: the fixed context vector."""

from __future__ import annotations

from torch import Tensor

from seqtrans.model.attention.base import Attention
from seqtrans.model.memory import Memory


class FixedContext(Attention):
    """The context of every step is the summary, the encoder's last outputs (after Cho et al. 2014, section 2.2)."""

    aligns = False

    def forward(self, query_BTH: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """The summary for every query, and weights of zero: there is no alignment."""
        steps = query_BTH.shape[1]
        context = memory.summary_BD.unsqueeze(1).expand(-1, steps, -1)
        return context, memory.padding_BS.new_zeros(*query_BTH.shape[:2], memory.padding_BS.shape[1])


PLUGIN = FixedContext
