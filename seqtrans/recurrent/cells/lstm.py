"""The long short-term memory cell, run over sequences by torch's own kernel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.gated import GatedCell
from seqtrans.recurrent.probes import probe


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

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        """The equations from the gates' sums on."""
        i, f, g, o = gates
        c = torch.addcmul(torch.sigmoid(f) * state[1], torch.sigmoid(i), torch.tanh(g))
        return torch.sigmoid(o) * torch.tanh(c), c

    def unroll(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """The outputs and the last state by torch's kernel, which is oneDNN on a CPU and cuDNN on a GPU."""
        if not len(inputs_TBI):
            return self.loop(inputs_TBI, state)
        is_low_precision = inputs_TBI.device.type == "cpu" and torch.is_autocast_enabled("cpu")
        if not (_has_bfloat16_kernel() if is_low_precision else _has_library_kernel()):
            return super().unroll(inputs_TBI, state)
        weights = [self.input_weight, self.recurrent, self.bias]
        outputs, *last = _by_library(inputs_TBI, state, weights, self.training)
        return outputs, tuple(tensor.detach() for tensor in last)


def _by_library(inputs_TBI: Tensor, state: State, weights: list[Tensor], training: bool) -> list[Tensor]:
    """The outputs and the last state by the function behind `nn.LSTM`, which would bring weights of its own."""
    initial = [tensor.unsqueeze(0) for tensor in state]
    biases = torch.zeros_like(weights[-1])
    outputs, *last = torch.lstm(inputs_TBI, initial, [*weights, biases], True, 1, 0.0, training, False, False)
    return [outputs, *(tensor.squeeze(0) for tensor in last)]


@probe("a kernel for whole sequences of an LSTM", "they are trained by the kernel of other cells")
def _has_library_kernel() -> bool:
    """Whether torch's kernel computes the equations."""
    return _is_right(1e-5)


@probe("a kernel for whole sequences of an LSTM in bfloat16", "they are trained by the kernel of other cells")
def _has_bfloat16_kernel() -> bool:
    """Whether torch's kernel computes the equations in bfloat16; oneDNN has none for processors without AVX-512."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return _is_right(0.05)


def _is_right(tolerance: float) -> bool:
    generator = torch.Generator().manual_seed(1)
    shapes = ((1, 2, 3), (2, 4), (2, 4), (16, 3), (16, 4), (16,))
    inputs, h, c, *weights = (torch.randn(shape, generator=generator) for shape in shapes)
    results = _by_library(inputs, (h, c), weights, training=False)
    i, f, g, o = (inputs[0] @ weights[0].t() + h @ weights[1].t() + weights[2]).chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
    pairs = zip(results, [h.unsqueeze(0), h, c], strict=True)
    return all(torch.allclose(one.float(), other.float(), atol=tolerance) for one, other in pairs)


PLUGIN = LSTM
