"""Dropout with one mask a sequence.

A mask that stays the same over all steps regularises recurrent networks better than a new one each step
(Gal & Ghahramani 2016), and costs a T-th of the random numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class VariationalDropout(nn.Module):
    """Zeroes the same units of a sentence at every step, with probability `rate`; sequences are [T, B, D]."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def mask(self, batch: int, units: int, like: Tensor) -> Tensor | None:
        """A new mask [batch, units] of zeros and 1 / (1 - rate), with the type and place of `like`.

        None out of training.
        """
        if not self.training or self.rate == 0:
            return None
        keep = torch.rand(batch, units, device=like.device) >= self.rate
        return (keep / (1 - self.rate)).to(like.dtype)

    def forward(self, sequence_TBD: Tensor) -> Tensor:
        """The sequence, masked in training, itself otherwise."""
        _, batch, units = sequence_TBD.shape
        return masked(sequence_TBD, self.mask(batch, units, sequence_TBD))


def masked(values: Tensor, mask: Tensor | None) -> Tensor:
    """`values` times a mask, if there is one."""
    return values if mask is None else values * mask


class WordDropout(nn.Module):
    """Zeroes whole embeddings, with probability `rate` for each position (Sennrich & Zhang 2019, section 3)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, embedded_TBE: Tensor) -> Tensor:
        """The embeddings, some of them zero in training; not rescaled, as a missing word is missing."""
        if not self.training or self.rate == 0:
            return embedded_TBE
        keep = torch.rand((*embedded_TBE.shape[:2], 1), device=embedded_TBE.device) >= self.rate
        return embedded_TBE * keep.to(embedded_TBE.dtype)
