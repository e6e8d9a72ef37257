"""Drawing the next subword at random.

Shapes: N rows, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.text.subwords import BOS_ID, PAD_ID, UNK_ID

EXCLUDED_IDS = [PAD_ID, UNK_ID, BOS_ID]
"""Ids that are drawn only if every other id has probability 0."""


@dataclass(frozen=True)
class Sampling:
    """The distribution from which the next subword is drawn."""

    temperature: float = 1.0
    """Scores are divided by it. Below 1 likely subwords become likelier; 0 takes the likeliest."""
    top_k: int = 0
    """Draw from this many likeliest subwords (of equally likely ones, the first); 0: from all."""
    top_p: float = 1.0
    """Draw from the likeliest subwords that together have this probability (Holtzman et al. 2020, section 3.1)."""
    seed: int = 1
    """Seed of the random numbers."""


def draw(logits_NV: Tensor, options: Sampling, uniforms_N: Tensor) -> Tensor:
    """One id for each row, [N], by inverting the distribution function at `uniforms_N`: 64-bit numbers in [0, 1).

    The computation and its result are on the CPU, whatever the device of the logits, so that devices draw alike.
    """
    scores = logits_NV.detach().cpu().double()
    others = scores.clone()
    others[:, EXCLUDED_IDS] = float("-inf")
    scores = torch.where((others > float("-inf")).any(dim=1, keepdim=True), others, scores)
    if options.temperature == 0:
        return scores.argmax(dim=1)
    scores = (scores - scores.amax(dim=1, keepdim=True)) / options.temperature
    if 0 < options.top_k < scores.shape[1]:
        threshold = scores.topk(options.top_k, dim=1).values[:, -1:]
        above, ties = scores > threshold, scores == threshold
        room = options.top_k - above.sum(dim=1, keepdim=True)
        scores = scores.masked_fill(~(above | (ties & (ties.cumsum(dim=1) <= room))), float("-inf"))
    probabilities = scores.softmax(dim=1)
    if options.top_p < 1:
        ordered, order = probabilities.sort(dim=1, descending=True, stable=True)
        preceding = ordered.cumsum(dim=1) - ordered
        ordered = ordered.masked_fill(preceding >= options.top_p, 0)  # the first stays: `preceding` is 0 there
        probabilities = torch.zeros_like(ordered).scatter(1, order, ordered)
    # the first id whose cumulative probability exceeds the uniform number
    cumulative = probabilities.cumsum(dim=1)
    total = cumulative[:, -1:]
    ids = torch.searchsorted(cumulative, uniforms_N.unsqueeze(1) * total, right=True)
    return ids.minimum((cumulative < total).sum(dim=1, keepdim=True)).squeeze(1)
