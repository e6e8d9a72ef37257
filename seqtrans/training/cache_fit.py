"""How much a language model may trust its cache: what makes the development text most probable.

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
CHUNK = 512
"""Predictions whose scores are held at once."""
STEPS = 32
"""Steps that are compared with the past at once."""


class CacheFit:
    """A text as the model and its cache see it, and the choice between ways to mix them."""

    def __init__(self, cache: ContinuousCache) -> None:
        self.cache = cache
        self._past: Past | None = None
        self._nats: dict[tuple[float, float], float] = {(h, s): 0.0 for h in SHARPNESSES for s in SHARES}

    def read(self, segment: Segment, readouts_TBE: Tensor, logits: Callable[[Tensor], Tensor]) -> None:
        """Take in the next segment; `logits` gives the scores of readouts."""
        logs_TB = _of_targets(readouts_TBE, segment.outputs_TB, logits)
        pieces = (tensor.split(STEPS) for tensor in (readouts_TBE, segment.inputs_TB, segment.outputs_TB, logs_TB))
        for readouts, inputs, outputs, logs in zip(*pieces, strict=True):
            likeness, self._past = self.cache.look(readouts, inputs, self._past)
            same = likeness.followed_by(outputs)
            for sharpness in SHARPNESSES:
                weights = likeness.weights(sharpness)
                copied, reach = (weights * same).sum(dim=2).t(), weights.sum(dim=2).t() > 0
                for share in SHARES:
                    self._nats[sharpness, share] -= float(mixed(logs, copied, share, reach).sum(dtype=torch.float64))

    def choose(self) -> float:
        """Set the cache to the best of all, the smaller share where two are as good; the loss then, in nats."""
        best = min(self._nats, key=lambda way: (self._nats[way], way[1]))
        self.cache.fit(share=best[1], sharpness=best[0])
        return self._nats[best]


def _of_targets(readouts_TBE: Tensor, targets_TB: Tensor, logits: Callable[[Tensor], Tensor]) -> Tensor:
    """The model's own log-probability of each target [T, B], in 32 bits or more."""
    found = []
    for readouts, targets in zip(
        readouts_TBE.flatten(0, 1).split(CHUNK), targets_TB.flatten().split(CHUNK), strict=True
    ):
        scores = logits(readouts)
        exact = scores.to(torch.promote_types(scores.dtype, torch.float32)).log_softmax(dim=1)
        found.append(exact.gather(1, targets.unsqueeze(1)).squeeze(1))
    return torch.cat(found).view_as(targets_TB)
