"""The exponential moving average of the weights, which generalises better than the last ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from seqtrans.model.file import Network

STRIDE = 8
"""Updates between two looks at the weights, after the first few; the decay is raised to this power.

A look costs a pass over all weights; neighbouring ones are so alike that the average hardly changes.
"""


class WeightAverage:
    """theta' <- d * theta' + (1 - d) * theta (Polyak & Juditsky 1992, with exponential weights).

    The decay d grows with the number of updates, min(decay, (1 + n) / (10 + n)), so that the random first
    weights are soon forgotten. A decay of 0 turns averaging off: the average is the weights themselves.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.decay = decay
        self._live = list(network.parameters())
        self._names = [name for name, _ in network.named_parameters()]
        self._shadow = [p.detach().clone() if decay else p.detach() for p in self._live]

    def update(self, step: int) -> None:
        """Take in the weights after update number `step`, if it is one that counts."""
        if self.decay and (step < STRIDE or step % STRIDE == 0):
            decay = min(self.decay, (1 + step) / (10 + step)) ** (1 if step < STRIDE else STRIDE)
            torch._foreach_lerp_(self._shadow, [p.detach() for p in self._live], 1 - decay)

    def weights(self) -> dict[str, Tensor]:
        """The average by parameter name."""
        return dict(zip(self._names, self._shadow, strict=True))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network has the averaged weights inside the block, and its own after it."""
        if not self.decay:
            yield
            return
        live = [p.detach() for p in self._live]
        own = [p.clone() for p in live]
        torch._foreach_copy_(live, self._shadow)
        try:
            yield
        finally:
            torch._foreach_copy_(live, own)
