"""Fits the settings of a language model's cache: those that make the development text most probable.

Shapes: T steps, B streams, E readout units, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqtrans.model.cache import ContinuousCache, Past, mixed
from seqtrans.text.stream import Segment

SHARPNESSES = (5.0, 10.0, 20.0, 40.0)
SHARES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
SCORED_AT_ONCE = 512
"""Predictions whose scores over the vocabulary are in memory at once."""
STEPS_AT_ONCE = 32
"""Steps that are compared with the cache at once."""


class CacheFit:
    """Sums up the loss of a text for each pair of share and sharpness, and chooses the best pair."""

    def __init__(self, cache: ContinuousCache) -> None:
        self.cache = cache
        self._past: Past | None = None
        self._nats: dict[tuple[float, float], float] = {(h, s): 0.0 for h in SHARPNESSES for s in SHARES}

    def read(self, segment: Segment, readouts_TBE: Tensor, logits: Callable[[Tensor], Tensor]) -> None:
        """Add the loss of the next segment; `logits` computes the scores of readouts."""
        log_probs_TB = _of_targets(readouts_TBE, segment.outputs_TB, logits)
        tensors = readouts_TBE, segment.inputs_TB, segment.outputs_TB, log_probs_TB
        pieces = (tensor.split(STEPS_AT_ONCE) for tensor in tensors)
        for readouts, inputs, outputs, log_probs in zip(*pieces, strict=True):
            similarity, self._past = self.cache.compare(readouts, inputs, self._past)
            same = similarity.matches(outputs)
            for sharpness in SHARPNESSES:
                weights = similarity.weights(sharpness)
                copied, has_past = (weights * same).sum(dim=2).t(), weights.sum(dim=2).t() > 0
                for share in SHARES:
                    mixture = mixed(log_probs, copied, share, has_past)
                    self._nats[sharpness, share] -= float(mixture.sum(dtype=torch.float64))

    def choose(self) -> float:
        """Give the cache the best settings, of equal ones those with the smaller share; return their loss in nats."""
        best = min(self._nats, key=lambda setting: (self._nats[setting], setting[1]))
        self.cache.fit(share=best[1], sharpness=best[0])
        return self._nats[best]


def _of_targets(readouts_TBE: Tensor, targets_TB: Tensor, logits: Callable[[Tensor], Tensor]) -> Tensor:
    """The model's log-probability of each target [T, B] without the cache, in 32 bits or more."""
    log_probs = []
    for readouts, targets in zip(
        readouts_TBE.flatten(0, 1).split(SCORED_AT_ONCE), targets_TB.flatten().split(SCORED_AT_ONCE), strict=True
    ):
        scores = logits(readouts)
        exact = scores.to(torch.promote_types(scores.dtype, torch.float32)).log_softmax(dim=1)
        log_probs.append(exact.gather(1, targets.unsqueeze(1)).squeeze(1))
    return torch.cat(log_probs).view_as(targets_TB)
