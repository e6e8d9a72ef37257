"""The LSTM whose gates see the memory of all units."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqtrans.recurrent.cells.base import Cell, State, orthogonal
from seqtrans.recurrent.products import linear


class LSTMPeepholeFull(Cell):
    """Graves 2013, section 2, but with matrices V from the memory C to the gates in place of diagonals.

    i = sigmoid(W_i [h, x] + V_i C_{t-1} + b_i)      f = sigmoid(W_f [h, x] + V_f C_{t-1} + b_f)
    g = tanh(W_g [h, x] + b_g)                       C_t = f * C_{t-1} + i * g
    o = sigmoid(W_o [h, x] + V_o C_t + b_o)          h_t = o * tanh(C_t)

    The rows of the weights are i, f, g, o; those of V are i, f, o. The forget bias starts at 1.
    With `+candidate`, g sees V_g C_{t-1} as well (the rows of V are then i, f, g, o).
    """

    gates = 4
    states = 2
    initial_biases = (0, 1, 0, 0)
    options = ("candidate",)

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.seeing = 3 if "candidate" in self.chosen else 2
        self.peepholes = nn.Parameter(orthogonal(self.seeing + 1, hidden))

    def step(self, projected: Tensor, state: State) -> State:
        """One step by the equations."""
        h, c = state
        early, late = self.peepholes.split([self.seeing * self.hidden, self.hidden])
        gates = projected + linear(h, self.recurrent)
        seen = linear(c, early).split(self.hidden, dim=-1)
        i, f, g, o = gates.split(self.hidden, dim=-1)
        g = torch.tanh(g + seen[2] if self.seeing > 2 else g)
        c = torch.addcmul(torch.sigmoid(f + seen[1]) * c, torch.sigmoid(i + seen[0]), g)
        return torch.sigmoid(o + linear(c, late)) * torch.tanh(c), c


PLUGIN = LSTMPeepholeFull
