"""The LSTM whose gates see the cell state."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.gated import GatedCell


class LSTMPeephole(GatedCell):
    """Gers et al. 2002, section 3: peephole weights p, one per gate and unit, from the cell state C to the gates.

    i = sigmoid(W_i [h, x] + p_i * C_{t-1} + b_i)      f = sigmoid(W_f [h, x] + p_f * C_{t-1} + b_f)
    g = tanh(W_g [h, x] + b_g)                         C_t = f * C_{t-1} + i * g
    o = sigmoid(W_o [h, x] + p_o * C_t + b_o)          h_t = o * tanh(C_t)

    The rows of the weights are i, f, g, o. The forget bias starts at 1, the peepholes at 0.
    With `+candidate`, g sees p_g * C_{t-1} as well.
    """

    gates = 4
    states = 2
    initial_biases = (0, 1, 0, 0)
    options = ("candidate",)

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.peepholes = nn.Parameter(torch.zeros(4 if "candidate" in self.chosen else 3, hidden))

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        """The equations from the gates' sums on."""
        i, f, g, o = gates
        _, c = state
        to_i, to_f, to_o, *to_g = extra_parameters[0]
        i, f = torch.sigmoid(torch.addcmul(i, to_i, c)), torch.sigmoid(torch.addcmul(f, to_f, c))
        g = torch.tanh(torch.addcmul(g, to_g[0], c) if to_g else g)
        c = torch.addcmul(f * c, i, g)
        return torch.sigmoid(torch.addcmul(o, to_o, c)) * torch.tanh(c), c


PLUGIN = LSTMPeephole
