"""Drawing the next subword at random.

Shapes: N rows, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.text.subwords import BOS_ID, PAD_ID, UNK_ID

NEVER = [PAD_ID, UNK_ID, BOS_ID]
"""Ids that are never drawn."""


@dataclass(frozen=True)
class SamplingOptions:
    """Which of the next subwords may be drawn, and how likely."""

    temperature: float = 1.0
    """Scores are divided by it: below 1 the likely become likelier; 0 always takes the likeliest."""
    top_k: int = 0
    """Only the so many likeliest; 0: all."""
    top_p: float = 1.0
    """Only the likeliest whose probabilities together reach it (nucleus; Holtzman et al. 2020, section 3.1)."""


def draw(logits_NV: Tensor, options: SamplingOptions, generator: torch.Generator) -> Tensor:
    """One id [N] a row; the generator lives on the processor, so that every device draws the same."""
    scores = logits_NV.detach().cpu().double()
    scores[:, NEVER] = float("-inf")
    if options.temperature == 0:
        return scores.argmax(dim=1)
    scores = (scores - scores.amax(dim=1, keepdim=True)) / options.temperature
    if 0 < options.top_k < scores.shape[1]:
        least = scores.topk(options.top_k, dim=1).values[:, -1:]
        scores = scores.masked_fill(scores < least, float("-inf"))
    probabilities = scores.softmax(dim=1)
    if options.top_p < 1:
        ordered, order = probabilities.sort(dim=1, descending=True, stable=True)
        before = ordered.cumsum(dim=1) - ordered
        ordered = ordered.masked_fill(before >= options.top_p, 0)  # never the first, before which there is nothing
        probabilities = torch.zeros_like(ordered).scatter(1, order, ordered)
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(1)
