"""Dropout with one mask for a whole sequence.

A mask that stays the same over all T steps regularises recurrent networks better than a new one at each step
(Gal & Ghahramani 2016), and takes 1/T of the random numbers.
"""

from __future__ import annotations

from torch import Tensor, nn

from seqtrans.recurrent.seeding import keep_mask


class VariationalDropout(nn.Module):
    """Zeroes the same units of a sentence at every step, with probability `rate`; sequences are [T, B, D]."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def mask(self, batch: int, units: int, like: Tensor) -> Tensor | None:
        """A new mask [batch, units] of zeros and 1 / (1 - rate), with the type and device of `like`.

        None outside training.
        """
        if not self.training or self.rate == 0:
            return None
        keep = keep_mask((batch, units), self.rate, like.device)
        return (keep / (1 - self.rate)).to(like.dtype)

    def forward(self, sequence_TBD: Tensor) -> Tensor:
        """The masked sequence in training, the sequence itself otherwise."""
        _, batch, units = sequence_TBD.shape
        return apply_mask(sequence_TBD, self.mask(batch, units, sequence_TBD))


def apply_mask(values: Tensor, mask: Tensor | None) -> Tensor:
    """`values` times the mask, if there is one."""
    return values if mask is None else values * mask


class WordDropout(nn.Module):
    """Zeroes whole embeddings, with probability `rate` for each position (Sennrich & Zhang 2019, section 3)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, embedded_TBE: Tensor) -> Tensor:
        """The embeddings, some of them zero in training; the others are not rescaled, since whole words are missing."""
        if not self.training or self.rate == 0:
            return embedded_TBE
        keep = keep_mask((*embedded_TBE.shape[:2], 1), self.rate, embedded_TBE.device)
        return embedded_TBE * keep.to(embedded_TBE.dtype)
