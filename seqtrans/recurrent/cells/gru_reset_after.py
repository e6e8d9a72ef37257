"""The gated recurrent unit of torch and cuDNN: the reset gate acts after the product."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.gated import GatedCell


class GRUResetAfter(GatedCell):
    """Cho et al. 2014, first version, as in Chung et al. 2014 and cuDNN.

    z = sigmoid(W_z [h, x] + b_z)      r = sigmoid(W_r [h, x] + b_r)
    c = tanh(W_cx x + b_c + r * (W_ch h + b_h))
    h_t = (1 - z) * h_{t-1} + z * c

    The rows of the weights are z, r, c. The z of torch is 1 minus this one, and its rows are r, z, c.
    """

    gates = 3
    split_gates = 1

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.reset_bias = nn.Parameter(torch.zeros(hidden))

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        """The equations from the gates' sums on."""
        z, r, inputs, product = gates
        (h,), (bias,) = state, extra_parameters
        c = torch.tanh(torch.addcmul(inputs, torch.sigmoid(r), product + bias))
        return (torch.addcmul(h, torch.sigmoid(z), c - h),)


PLUGIN = GRUResetAfter
