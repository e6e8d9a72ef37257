"""What a language model has read, to copy from: names and turns of phrase come again.

Shapes: T steps, B streams, E readout units, W places of the past, K = W + T, V vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Past(NamedTuple):
    """The last steps that were read, oldest first."""

    keys_BWE: Tensor
    """Their readouts, of length 1, in 32 bits or more."""
    inputs_BW: Tensor
    """The subword that each of them read."""


@dataclass(frozen=True)
class Likeness:
    """How like each step is to the steps before it, and what followed these."""

    cosine_BTK: Tensor
    """Minus infinity at what is not in reach."""
    followed_BK: Tensor
    """The subword after each place."""

    def weights(self, sharpness: float) -> Tensor:
        """softmax(sharpness * cosine) over the places [B, T, K]; zeros where none is in reach."""
        return (sharpness * self.cosine_BTK).softmax(dim=2).nan_to_num_(0.0)

    def followed_by(self, targets_TB: Tensor) -> Tensor:
        """Whether each place was followed by the subword that is wanted at a step, [B, T, K]."""
        return self.followed_BK.unsqueeze(1) == targets_TB.t().unsqueeze(2)

    def spread(self, vocab: int, weights_BTK: Tensor) -> Tensor:
        """The probability [T, B, V] that weights give to every subword."""
        spread = weights_BTK.new_zeros(*weights_BTK.shape[:2], vocab)
        spread.scatter_add_(2, self.followed_BK.unsqueeze(1).expand_as(weights_BTK), weights_BTK)
        return spread.transpose(0, 1)


class ContinuousCache(nn.Module):
    """p(x) = (1 - share) p_model(x) + share * sum_i w_i [x followed step i], w = softmax(sharpness * cos(r_t, r_i)).

    Over the last `size` steps i before t (Grave, Joulin & Usunier 2017, section 3, there with the plain product in
    place of the cosine). Share and sharpness are not trained, but fit to the development text.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("setting", torch.zeros(2))
        self.setting: Tensor

    def chosen(self) -> tuple[float, float]:
        """Share, 0 until it is fit, and sharpness."""
        share, sharpness = (round(number, 6) for number in self.setting.tolist())  # as they were before 32 bits
        return share, sharpness

    def is_sound(self) -> bool:
        """Whether these can be what was fit."""
        share, sharpness = self.chosen()
        return 0 <= share < 1 and sharpness >= 0

    def fit(self, share: float, sharpness: float) -> None:
        """Choose both."""
        self.setting.copy_(torch.tensor([share, sharpness]))

    def look(self, readouts_TBE: Tensor, inputs_TB: Tensor, past: Past | None) -> tuple[Likeness, Past]:
        """Compare steps with those before them, the older of which are `past`; and what is past after them."""
        exact = torch.promote_types(readouts_TBE.dtype, torch.float32)
        queries_BTE = F.normalize(readouts_TBE.transpose(0, 1).to(exact), dim=2)
        keys_BKE, inputs_BK = queries_BTE, inputs_TB.t()
        if past is not None:
            keys_BKE = torch.cat([past.keys_BWE, keys_BKE], dim=1)
            inputs_BK = torch.cat([past.inputs_BW, inputs_BK], dim=1)
        places, steps = keys_BKE.shape[1], len(inputs_TB)
        at = torch.arange(places - steps, places, device=inputs_TB.device).unsqueeze(1)
        back = at - torch.arange(places, device=inputs_TB.device)
        with torch.autocast(inputs_TB.device.type, enabled=False):
            cosine_BTK = queries_BTE @ keys_BKE.transpose(1, 2)
        cosine_BTK.masked_fill_((back < 1) | (back > self.size), float("-inf"))
        likeness = Likeness(cosine_BTK, inputs_BK.roll(-1, dims=1))  # what follows the last is out of reach
        return likeness, Past(keys_BKE[:, -self.size :], inputs_BK[:, -self.size :])

    def mix(self, logits_TBV: Tensor, likeness: Likeness) -> Tensor:
        """The logarithms of the mixed probabilities [T, B, V]; where nothing is in reach, the model's own."""
        share, sharpness = self.chosen()
        logs = logits_TBV.to(likeness.cosine_BTK.dtype).log_softmax(dim=2)
        if not share:
            return logs
        copied = likeness.spread(logits_TBV.shape[2], likeness.weights(sharpness))
        return mixed(logs, copied, share, copied.sum(dim=2, keepdim=True) > 0)


def mixed(logs: Tensor, copied: Tensor, share: float, reach: Tensor) -> Tensor:
    """log((1 - share) exp(logs) + share * copied), and `logs` where nothing is in reach; share is below 1."""
    if not share:
        return logs
    both = torch.logaddexp(logs + math.log1p(-share), copied.log() + math.log(share))
    return torch.where(reach, both, logs)
