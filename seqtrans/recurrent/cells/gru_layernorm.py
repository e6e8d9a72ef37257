"""The gated recurrent unit with normalised gates."""

from __future__ import annotations

from seqtrans.recurrent.cells.gru import GRU
from seqtrans.recurrent.normalised import NormalisedGates


class GRULayerNorm(NormalisedGates, GRU):
    """`gru` with layer normalisation in each gate, as Chen et al. 2018 (RNMT+), section 3, have it in an LSTM."""


PLUGIN = GRULayerNorm
