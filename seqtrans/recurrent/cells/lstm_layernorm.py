"""The LSTM with normalised gates."""

from __future__ import annotations

from torch import Tensor

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.cells.lstm import LSTM
from seqtrans.recurrent.gated import GatedCell
from seqtrans.recurrent.normalised import NormalisedGates


class LSTMLayerNorm(NormalisedGates, LSTM):
    """Chen et al. 2018 (RNMT+), section 3: `lstm` with layer normalisation in each gate."""

    def unroll(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """By seqtrans' kernel: torch has none for normalised gates."""
        return GatedCell.unroll(self, inputs_TBI, state)


PLUGIN = LSTMLayerNorm
