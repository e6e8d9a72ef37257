"""Drawing the next subword at random.

Shapes: N rows, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.settings import bounded
from seqtrans.text.subwords import BOS_ID, PAD_ID, UNK_ID

NEVER = [PAD_ID, UNK_ID, BOS_ID]
"""Ids that are never drawn, unless nothing else is left."""


@dataclass(frozen=True)
class SamplingOptions:
    """Which of the next subwords may be drawn, and how likely."""

    temperature: float = bounded(1.0, 0, 100)
    """Scores are divided by it: below 1 the likely become likelier; 0 always takes the likeliest."""
    top_k: int = bounded(0, 0, 10**9)
    """Only the so many likeliest, of equals the first; 0: all."""
    top_p: float = bounded(1.0, 1e-9, 1)
    """Only the likeliest whose probabilities together reach it (nucleus; Holtzman et al. 2020, section 3.1)."""
    seed: int = bounded(1, 0, 2**63 - 1)
    """Where the randomness comes from."""


def draw(logits_NV: Tensor, options: SamplingOptions, uniforms_N: Tensor) -> Tensor:
    """One id [N] a row, given numbers from 0 to 1 (1 left out) in 64 bits; on the processor, for any device."""
    scores = logits_NV.detach().cpu().double()
    others = scores.clone()
    others[:, NEVER] = float("-inf")
    scores = torch.where((others > float("-inf")).any(dim=1, keepdim=True), others, scores)
    if options.temperature == 0:
        return scores.argmax(dim=1)
    scores = (scores - scores.amax(dim=1, keepdim=True)) / options.temperature
    if 0 < options.top_k < scores.shape[1]:
        least = scores.topk(options.top_k, dim=1).values[:, -1:]
        above, ties = scores > least, scores == least
        room = options.top_k - above.sum(dim=1, keepdim=True)
        scores = scores.masked_fill(~(above | (ties & (ties.cumsum(dim=1) <= room))), float("-inf"))
    probabilities = scores.softmax(dim=1)
    if options.top_p < 1:
        ordered, order = probabilities.sort(dim=1, descending=True, stable=True)
        before = ordered.cumsum(dim=1) - ordered
        ordered = ordered.masked_fill(before >= options.top_p, 0)  # never the first, before which there is nothing
        probabilities = torch.zeros_like(ordered).scatter(1, order, ordered)
    # the first id up to which the probabilities pass the number
    reached = probabilities.cumsum(dim=1)
    whole = reached[:, -1:]
    drawn = torch.searchsorted(reached, uniforms_N.unsqueeze(1) * whole, right=True)
    return drawn.minimum((reached < whole).sum(dim=1, keepdim=True)).squeeze(1)
