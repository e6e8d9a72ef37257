"""Cells whose gates are normalised."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.gated import GatedCell
from seqtrans.recurrent.products import linear


class NormalisedGates(GatedCell):
    """Put before a cell's class, makes every W [h, x] + b of it gain * N(W [h, x]) + b.

    N brings the units of a gate to mean 0 and variance 1 (Ba et al. 2016).
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.gain = nn.Parameter(torch.ones(self.gates * hidden))

    def own(self) -> list[Tensor]:
        """The gain, and the bias, which comes after the gates are normalised."""
        return [self.gain, self.bias]

    def project(self, inputs: Tensor) -> Tensor:
        """As every cell, without the bias."""
        return linear(inputs, self.input_weight)

    def project_nothing(self, like: Tensor) -> Tensor:
        """Zeros."""
        return torch.zeros_like(like)

    def combine(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> State:
        """As the cell, from normalised gates."""
        return super().combine(self._normalised(gates, own), state)

    def gated(self, gates: Sequence[Tensor], state: State, *own: Tensor) -> Tensor:
        """As the cell, from normalised gates."""
        return super().gated(self._normalised(gates, own), state)

    def _normalised(self, gates: Sequence[Tensor], own: Sequence[Tensor]) -> list[Tensor]:
        gains, biases = (parameter.split(self.hidden) for parameter in own)
        size = [self.hidden]
        return [F.layer_norm(gate, size, gain, bias) for gate, gain, bias in zip(gates, gains, biases, strict=False)]
