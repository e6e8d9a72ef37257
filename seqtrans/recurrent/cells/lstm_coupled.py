"""The LSTM that writes exactly where it forgets."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.gated import GatedCell


class LSTMCoupled(GatedCell):
    """Greff et al. 2017, section 4, "CIFG": coupled input and forget gate.

    f = sigmoid(W_f [h, x] + b_f)            g = tanh(W_g [h, x] + b_g)
    o = sigmoid(W_o [h, x] + b_o)
    C_t = f * C_{t-1} + (1 - f) * g          h_t = o * tanh(C_t)

    The rows of the weights are f, g, o. The forget bias starts at 1.
    """

    gates = 3
    states = 2
    initial_biases = (1, 0, 0)

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        """The equations from the gates' sums on."""
        f, g, o = gates
        g = torch.tanh(g)
        c = torch.addcmul(g, torch.sigmoid(f), state[1] - g)
        return torch.sigmoid(o) * torch.tanh(c), c


PLUGIN = LSTMCoupled
