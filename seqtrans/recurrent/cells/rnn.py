"""The simple recurrent cell."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.gated import GatedCell


class RNN(GatedCell):
    """Elman 1990.

    h_t = tanh(W [h, x] + b)

    With `+relu`, max(0, .) stands for tanh (Le et al. 2015).
    """

    gates = 1
    options = ("relu",)

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        """The equation from the sum on."""
        return (torch.relu(gates[0]) if "relu" in self.chosen else torch.tanh(gates[0]),)


PLUGIN = RNN
