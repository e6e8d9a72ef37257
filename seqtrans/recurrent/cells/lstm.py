"""The long short-term memory cell, on the library's own sequence kernel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.gated import GatedCell


class LSTM(GatedCell):
    """Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000.

    i = sigmoid(W_i [h, x] + b_i)      f = sigmoid(W_f [h, x] + b_f)
    g = tanh(W_g [h, x] + b_g)         o = sigmoid(W_o [h, x] + b_o)
    C_t = f * C_{t-1} + i * g          h_t = o * tanh(C_t)

    The rows of the weights are i, f, g, o, as in torch. The forget bias starts at 1 (Jozefowicz et al. 2015).
    """

    gates = 4
    states = 2
    initial_biases = (0, 1, 0, 0)

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        """The equations from the gates' sums on."""
        i, f, g, o = gates
        c = torch.addcmul(torch.sigmoid(f) * state[1], torch.sigmoid(i), torch.tanh(g))
        return torch.sigmoid(o) * torch.tanh(c), c

    def unroll(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """The outputs and the last state by torch's kernel, which is oneDNN on a CPU and cuDNN on a GPU."""
        if not len(inputs_TBI):
            return self.loop(inputs_TBI, state)
        weights = [self.input_weight, self.recurrent, self.bias, torch.zeros_like(self.bias)]
        initial = [s.unsqueeze(0) for s in state]
        outputs, *last = torch.lstm(inputs_TBI, initial, weights, True, 1, 0.0, self.training, False, False)
        return outputs, tuple(tensor.detach().squeeze(0) for tensor in last)


PLUGIN = LSTM
