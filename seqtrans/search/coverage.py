"""The attention that hypotheses have paid to the source so far, and how much of the source it covers.

Shapes: N rows, S source positions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqtrans.model.tensors import resized

LEAST_ATTENTION = 1e-10
"""The least attention that a source subword counts with, so that the logarithm is finite."""


def pad_to_widest(*weights_NS: Tensor) -> list[Tensor]:
    """The tensors, padded with zeros to the number of positions of the widest."""
    width = max(weights.shape[1] for weights in weights_NS)
    return [resized(weights, width) for weights in weights_NS]


def add_attention(attention_sum_NS: Tensor, weights_NS: Tensor) -> Tensor:
    """The sum of the attention weights so far, with new weights added. Both may differ in S."""
    attention_sum, weights = pad_to_widest(attention_sum_NS, weights_NS)
    return attention_sum + weights


def coverage_of(attention_sum_NS: Tensor, lengths_N: Sequence[int]) -> Tensor:
    """The coverage [N]: the sum over a row's source subwords of log(min(attention sum, 1)).

    `lengths_N` is the number of source subwords of each row, EOS left out. Wu et al. 2016, equation 14, without beta.
    """
    positions = torch.arange(attention_sum_NS.shape[1], device=attention_sum_NS.device)
    inside = positions < torch.tensor(lengths_N, device=attention_sum_NS.device).unsqueeze(1)
    return (attention_sum_NS.double().clamp(LEAST_ATTENTION, 1).log() * inside).sum(dim=1)
