"""Layer normalisation of the gates of one step after the other, both passes.

Shapes: T steps, B batch, H hidden units, g gates of one product.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-5
"""Added to the variance."""
_backward = torch.ops.aten.native_layer_norm_backward.default


def normalise(sums: Tensor, gain: Tensor, bias: Tensor, hidden: int) -> Tensor:
    """The gates [..., g*H] from their sums: gain * N(sums) + bias.

    N brings the units of a gate to mean 0 and variance 1 (Ba et al. 2016).
    """
    units = F.layer_norm(sums.unflatten(-1, (-1, hidden)), [hidden], eps=EPSILON)
    return torch.addcmul(bias, units.flatten(-2), gain)


class Norm:
    """`normalise` for the kernel.

    The gradients of gain and bias are sums over all steps, made after the last of them.
    """

    def __init__(self, gain: Tensor, bias: Tensor, hidden: int) -> None:
        self.gain, self.bias, self.size = gain, bias, [hidden]
        self.kept: list[tuple[Tensor, ...]] = []

    def forward(self, sums: Tensor) -> Tensor:
        """The gates [B, g*H] of the next step."""
        parts = sums.unflatten(1, (-1, *self.size))
        kept = torch.native_layer_norm(parts, self.size, None, None, EPSILON)
        self.kept.append((parts, *kept))
        return torch.addcmul(self.bias, kept[0].flatten(1), self.gain)

    def backward(self, t: int, grad: Tensor, place: Tensor, share: Tensor) -> None:
        """The gradient of the sums of step `t`, from that of its gates; and the step's share in that of the gain.

        The share [B, g*H] is of each sentence. The bias has the gates' gradients for shares.
        """
        parts, units, mean, deviation = self.kept[t]
        torch.mul(grad, units.flatten(1), out=share)
        above = (grad * self.gain).view_as(parts)
        found = _backward(above, parts, self.size, mean, deviation, None, None, [True, False, False])[0]
        place.copy_(found.flatten(1))
