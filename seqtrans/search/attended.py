"""What hypotheses have attended to, and whether that is the whole source.

Shapes: N rows, S source positions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqtrans.model.parts import as_wide

LEAST_ATTENTION = 1e-10
"""A source subword that was never attended to counts as so much."""


def equally_wide(*weights_NS: Tensor) -> list[Tensor]:
    """The same with as many positions in each; those that are added are padding."""
    wide = max(weights.shape[1] for weights in weights_NS)
    return [as_wide(weights, wide) for weights in weights_NS]


def attended_more(attended_NS: Tensor, weights_NS: Tensor) -> Tensor:
    """The sum; either may have more positions than the other."""
    attended, weights = equally_wide(attended_NS, weights_NS)
    return attended + weights


def coverage_of(attended_NS: Tensor, lengths_N: Sequence[int]) -> Tensor:
    """The sum over a row's source subwords, so many and EOS left out, of log(min(attention received, 1)), [N].

    Wu et al. 2016, equation 14.
    """
    positions = torch.arange(attended_NS.shape[1], device=attended_NS.device)
    inside = positions < torch.tensor(lengths_N, device=attended_NS.device).unsqueeze(1)
    return (attended_NS.double().clamp(LEAST_ATTENTION, 1).log() * inside).sum(dim=1)
