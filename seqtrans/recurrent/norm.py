"""Layer normalisation of gates, step by step, forward and backward.

Shapes: B batch, H hidden units, K gates of one product.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from seqtrans.recurrent.probes import probe

EPSILON = 1e-5
"""Added to the variance."""

_Saved = tuple[Tensor, Tensor, Tensor]
"""Normalised units [B, K, H], mean and reciprocal standard deviation [B, K, 1]."""


def normalise(sums: Tensor, gain: Tensor, bias: Tensor, hidden: int) -> Tensor:
    """The gates [..., K*H] from their sums: gain * N(sums) + bias.

    N brings the units of a gate to mean 0 and variance 1 (Ba et al. 2016).
    """
    units = F.layer_norm(sums.unflatten(-1, (-1, hidden)), [hidden], eps=EPSILON)
    return torch.addcmul(bias, units.flatten(-2), gain)


class Norm:
    """`normalise` for the kernel, which sums the gradients of gain and bias over all steps at the end."""

    def __init__(self, gain: Tensor, bias: Tensor, hidden: int) -> None:
        self.gain, self.bias, self.size = gain, bias, [hidden]
        self.forward_pass, self.backward_pass = (
            (_native_forward, _native_backward) if has_native_norm() else (_plain_forward, _plain_backward)
        )
        self.saved: list[tuple[Tensor, _Saved]] = []
        """For each step: the sums [B, K, H], and what else the backward pass needs."""

    def forward(self, sums: Tensor) -> Tensor:
        """The gates [B, K*H] of the next step."""
        parts = sums.unflatten(1, (-1, *self.size))
        saved = self.forward_pass(parts)
        self.saved.append((parts, saved))
        return torch.addcmul(self.bias, saved[0].flatten(1), self.gain)

    def backward(self, t: int, grad: Tensor, d_sums: Tensor, d_gain: Tensor) -> None:
        """Write the gradients of the sums and of the gain at step `t`, from `grad`, that of the gates; all [B, K*H].

        The gain's is still to be summed over sentences and steps, and so is that of the bias, which is `grad`.
        """
        parts, saved = self.saved[t]
        torch.mul(grad, saved[0].flatten(1), out=d_gain)
        d_units = (grad * self.gain).view_as(parts)
        d_sums.copy_(self.backward_pass(d_units, parts, saved).flatten(1))


def _native_forward(parts: Tensor) -> _Saved:
    return torch.native_layer_norm(parts, parts.shape[-1:], None, None, EPSILON)


def _native_backward(d_units: Tensor, parts: Tensor, saved: _Saved) -> Tensor:
    backward = torch.ops.aten.native_layer_norm_backward.default
    _, mean, scale = saved
    gradient: Tensor = backward(d_units, parts, parts.shape[-1:], mean, scale, None, None, [True, False, False])[0]
    return gradient


def _plain_forward(parts: Tensor) -> _Saved:
    """By the equations of Ba et al. 2016, section 3, in float32 at least."""
    exact = parts.to(torch.promote_types(parts.dtype, torch.float32))
    variance, mean = torch.var_mean(exact, dim=-1, correction=0, keepdim=True)
    scale = torch.rsqrt(variance + EPSILON)
    return ((exact - mean) * scale).to(parts.dtype), mean, scale


def _plain_backward(d_units: Tensor, parts: Tensor, saved: _Saved) -> Tensor:
    """d_sums = (d_n - mean(d_n) - n * mean(d_n * n)) / sigma, for the normalised units n."""
    n, _, scale = (tensor.to(saved[2].dtype) for tensor in saved)
    d_n = d_units.to(scale.dtype)
    centred = d_n - d_n.mean(-1, keepdim=True) - n * (d_n * n).mean(-1, keepdim=True)
    return (centred * scale).to(d_units.dtype)


@probe("layer normalisation in two separate passes", "normalised gates take longer to train")
def has_native_norm() -> bool:
    """Whether the two functions behind `F.layer_norm`, forward and backward, compute the equations."""
    generator = torch.Generator().manual_seed(1)
    parts, d_units = (torch.randn(2, 3, 4, generator=generator) for _ in range(2))
    native, plain = _native_forward(parts), _plain_forward(parts)
    results = [*native, _native_backward(d_units, parts, native)]
    expected = [*plain, _plain_backward(d_units, parts, plain)]
    return all(torch.allclose(one, other, atol=1e-5) for one, other in zip(results, expected, strict=True))
