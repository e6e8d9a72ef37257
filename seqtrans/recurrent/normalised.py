"""Cells whose gates are normalised.

Shapes: B batch, H hidden units, G gates.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqtrans.recurrent.gated import GatedCell
from seqtrans.recurrent.products import linear


class NormalisedGates(GatedCell):
    """Put before a cell's class, makes every W [h, x] + b of it gain * N(W [h, x]) + b.

    N brings the units of a gate to mean 0 and variance 1 (Ba et al. 2016).
    """

    normalised = True

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        if self.apart:
            raise ValueError("gates that are not added up cannot be normalised")
        self.gain = nn.Parameter(torch.ones(self.gates * hidden))

    def norm(self) -> list[Tensor]:
        """The gain, and the bias, which comes after the gates are normalised."""
        return [self.gain, self.bias]

    def own(self) -> list[Tensor]:
        """All but the gain."""
        return [parameter for parameter in super().own() if parameter is not self.gain]

    def project(self, inputs: Tensor) -> Tensor:
        """As every cell, without the bias."""
        return linear(inputs, self.input_weight)

    def project_nothing(self, like: Tensor) -> Tensor:
        """Zeros."""
        return torch.zeros_like(like)

    def normalise(self, sums: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
        """The gates of a product [B, g*H] from their sums."""
        units = F.layer_norm(sums.unflatten(1, (-1, self.hidden)), [self.hidden])
        return torch.addcmul(bias, units.flatten(1), gain)
