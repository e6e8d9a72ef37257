"""The LSTM whose gates see the cell states of all units."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seqtrans.recurrent.cells.base import State, orthogonal
from seqtrans.recurrent.gated import GatedCell
from seqtrans.recurrent.recurrence import GATED, Product


class LSTMPeepholeFull(GatedCell):
    """Graves 2013, section 2, but with full matrices V from the cell state C to the gates in place of diagonal ones.

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
        self.peepholes = nn.Parameter(orthogonal(self.peephole_gates + 1, hidden))

    @property
    def peephole_gates(self) -> int:
        """The number of gates that see C_{t-1}."""
        return 3 if "candidate" in self.chosen else 2

    def products(self) -> list[Product]:
        """W_h h + W_x x + b, V C_{t-1} without V_o, and V_o C_t."""
        every, peepholes = self.gates * self.hidden, self.peephole_gates * self.hidden
        return [Product(every, every), Product(peepholes, 0, 1), Product(self.hidden, 0, GATED)]

    def weights(self) -> list[Tensor]:
        """The weights of these products."""
        return [self.recurrent, *self.peepholes.split([self.peephole_gates * self.hidden, self.hidden])]

    def extra_parameters(self) -> list[Tensor]:
        """None: the peepholes are weights."""
        return []

    def gated(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> Tensor:
        """C_t, the new cell state, which the output gate sees."""
        i, f, g, _, *peepholes = gates
        g = torch.tanh(g + peepholes[2] if self.peephole_gates > 2 else g)
        return torch.addcmul(torch.sigmoid(f + peepholes[1]) * state[1], torch.sigmoid(i + peepholes[0]), g)

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        """The equations from the gates' sums on."""
        *first, peephole = gates
        c = self.gated(first, state)
        return torch.sigmoid(gates[3] + peephole) * torch.tanh(c), c


PLUGIN = LSTMPeepholeFull
