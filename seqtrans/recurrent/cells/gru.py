"""The gated recurrent unit as its paper defines it: the reset gate acts before the product."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.gated import GatedCell


class GRU(GatedCell):
    """Cho et al. 2014, section 2.3, with the update gate's meaning of Chung et al. 2014.

    z = sigmoid(W_z [h, x] + b_z)      r = sigmoid(W_r [h, x] + b_r)
    c = tanh(W_c [r * h, x] + b_c)     h_t = (1 - z) * h_{t-1} + z * c

    The rows of the weights are z, r, c. torch and cuDNN compute another cell: see `gru-reset-after`.
    """

    gates = 3
    gated_gates = 1

    def gated(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> Tensor:
        """The reset gate applied to the state: r * h."""
        return torch.sigmoid(gates[1]) * state[0]

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        """The equations from the gates' sums on."""
        z, _, c = gates
        (h,) = state
        return (torch.addcmul(h, torch.sigmoid(z), torch.tanh(c) - h),)


PLUGIN = GRU
