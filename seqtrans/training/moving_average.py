"""The exponential moving average of the weights, which generalises better than the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from seqtrans.model.trained import Network
from seqtrans.training import foreach

STRIDE = 8
"""After the first few updates, the average takes in every eighth only, with the decay to the power of eight.

Each time costs a pass over all weights, and neighbouring weights are so alike that the average hardly changes.
"""


class MovingAverage:
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
        """Average in the weights after update number `step`; between strides, do nothing."""
        if self.decay and (step < STRIDE or step % STRIDE == 0):
            decay = min(self.decay, (1 + step) / (10 + step)) ** (1 if step < STRIDE else STRIDE)
            foreach.interpolate_(self._shadow, [p.detach() for p in self._live], 1 - decay)

    def weights(self) -> dict[str, Tensor]:
        """The average by parameter name."""
        return dict(zip(self._names, self._shadow, strict=True))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside the block, the network has the averaged weights; after it, its own."""
        if not self.decay:
            yield
            return
        live = [p.detach() for p in self._live]
        own = [p.clone() for p in live]
        foreach.copy_(live, self._shadow)
        try:
            yield
        finally:
            foreach.copy_(live, own)
