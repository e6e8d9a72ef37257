"""Random numbers of a training: masks and initial weights that depend on a seed, and on no other thread.

Torch's generator is shared by the whole process. Masks are drawn from another one, which belongs to a `with` block.
Initial weights are drawn by library functions and users' cells from torch's generator, so by one thread at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_generator: ContextVar[torch.Generator | None] = ContextVar("the generator of masks", default=None)
_initialising = threading.Lock()


@contextmanager
def seeded_masks(seed: int, device: torch.device) -> Iterator[None]:
    """Inside, `keep_mask` draws from a generator that belongs to the block and begins at `seed`."""
    token = _generator.set(torch.Generator(device).manual_seed(seed))
    try:
        yield
    finally:
        _generator.reset(token)


def keep_mask(shape: Sequence[int], rate: float, device: torch.device) -> Tensor:
    """Booleans of this shape, each False with probability `rate`. Outside of `seeded_masks` from torch's generator."""
    return torch.rand(*shape, device=device, generator=_generator.get()) >= rate


@contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Inside, torch's generator for the processor begins at `seed`. Afterwards it is as it was before."""
    with _initialising, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
