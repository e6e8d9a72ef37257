"""A continuous cache: a language model copies from what it has read, since names and phrases recur.

Shapes: T steps, B streams, E readout units, W steps of the past, K = W + T steps to copy from, V vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Past(NamedTuple):
    """The last steps before the current ones, oldest first."""

    keys_BWE: Tensor
    """Their readouts, normalised to length 1, in 32 bits or more."""
    inputs_BW: Tensor
    """The subword that was the input of each."""


@dataclass(frozen=True)
class Similarity:
    """How similar each step is to the steps before it, and the subwords that came after those."""

    cosine_BTK: Tensor
    """Minus infinity for steps that are not among the `size` steps before."""
    next_BK: Tensor
    """The subword that came after each step."""

    def weights(self, sharpness: float) -> Tensor:
        """softmax(sharpness * cosine) over the last dimension of [B, T, K]; zeros where there is no step before."""
        return (sharpness * self.cosine_BTK).softmax(dim=2).nan_to_num_(0.0)

    def matches(self, targets_TB: Tensor) -> Tensor:
        """Whether the target of each step t is the subword that came after step k, [B, T, K]."""
        return self.next_BK.unsqueeze(1) == targets_TB.t().unsqueeze(2)

    def distribution(self, vocab: int, weights_BTK: Tensor) -> Tensor:
        """The probability [T, B, V] that the weights give to every subword."""
        probabilities_BTV = weights_BTK.new_zeros(*weights_BTK.shape[:2], vocab)
        probabilities_BTV.scatter_add_(2, self.next_BK.unsqueeze(1).expand_as(weights_BTK), weights_BTK)
        return probabilities_BTV.transpose(0, 1)


class ContinuousCache(nn.Module):
    """p(x) = (1 - share) p_model(x) + share * sum_i w_i [x came after step i], w = softmax(sharpness * cos(r_t, r_i)).

    i runs over the `size` steps before t, and r are readouts (Grave, Joulin & Usunier 2017, section 3, there with the
    plain product in place of the cosine). The share, which is the cache's part of the probability, and the sharpness
    are not trained but fitted to the development text.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("setting", torch.zeros(2))
        self.setting: Tensor

    def chosen(self) -> tuple[float, float]:
        """Share, 0 until it is fitted, and sharpness."""
        share, sharpness = (round(number, 6) for number in self.setting.tolist())  # without the error of 32 bits
        return share, sharpness

    def is_sound(self) -> bool:
        """Whether share and sharpness are in range; a file may hold anything."""
        share, sharpness = self.chosen()
        return 0 <= share < 1 and sharpness >= 0

    def fit(self, share: float, sharpness: float) -> None:
        """Set share and sharpness."""
        self.setting.copy_(torch.tensor([share, sharpness]))

    def compare(self, readouts_TBE: Tensor, inputs_TB: Tensor, past: Past | None) -> tuple[Similarity, Past]:
        """The similarity of each step to those before it, in `past` and in these steps; and the past after them all."""
        exact = torch.promote_types(readouts_TBE.dtype, torch.float32)
        queries_BTE = F.normalize(readouts_TBE.transpose(0, 1).to(exact), dim=2)
        keys_BKE, inputs_BK = queries_BTE, inputs_TB.t()
        if past is not None:
            keys_BKE = torch.cat([past.keys_BWE, keys_BKE], dim=1)
            inputs_BK = torch.cat([past.inputs_BW, inputs_BK], dim=1)
        count, steps = keys_BKE.shape[1], len(inputs_TB)
        positions = torch.arange(count, device=inputs_TB.device)
        distance = positions[count - steps :].unsqueeze(1) - positions
        with torch.autocast(inputs_TB.device.type, enabled=False):
            cosine_BTK = queries_BTE @ keys_BKE.transpose(1, 2)
        cosine_BTK.masked_fill_((distance < 1) | (distance > self.size), float("-inf"))
        # roll brings the first subword to the place after the last step, of which no step makes use
        similarity = Similarity(cosine_BTK, inputs_BK.roll(-1, dims=1))
        return similarity, Past(keys_BKE[:, -self.size :], inputs_BK[:, -self.size :])

    def mix(self, logits_TBV: Tensor, similarity: Similarity) -> Tensor:
        """The mixture's log-probabilities [T, B, V]; the model's own where there is no step before."""
        share, sharpness = self.chosen()
        log_probs = logits_TBV.to(similarity.cosine_BTK.dtype).log_softmax(dim=2)
        if not share:
            return log_probs
        copied = similarity.distribution(logits_TBV.shape[2], similarity.weights(sharpness))
        return mixed(log_probs, copied, share, copied.sum(dim=2, keepdim=True) > 0)


def mixed(log_probs: Tensor, copied: Tensor, share: float, has_past: Tensor) -> Tensor:
    """log((1 - share) exp(log_probs) + share * copied) where `has_past`, else `log_probs`; share is below 1."""
    if not share:
        return log_probs
    both = torch.logaddexp(log_probs + math.log1p(-share), copied.log() + math.log(share))
    return torch.where(has_past, both, log_probs)
