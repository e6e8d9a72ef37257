"""Few shapes for a search whose sentences end one by one.

A library builds and keeps a kernel for every new shape of a product, which costs milliseconds and megabytes; and
what leaves a batch costs a copy of what stays. So ended sentences stay until enough wait to take their places, or
until the batch fits a smaller size.

Shapes: B sentences, S source positions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from seqtrans.model.memory import Memory
from seqtrans.text.subwords import PAD_ID

SOURCE_STEP = 8
REFILL = 2
"""A batch takes new sentences when one in so many of its places is free."""


def fitting(count: int) -> int:
    """The size in which `count` sentences are searched: rounded up to three binary digits, at most a quarter more."""
    step = 1 << max(count.bit_length() - 3, 0)
    return -(-count // step) * step


def joining(waiting: int, free: int) -> int:
    """How many of the sentences that wait come into free places: rounded down to three binary digits."""
    count = min(waiting, free)
    step = 1 << max(count.bit_length() - 3, 0)
    return count // step * step


def remaining(over: NDArray[np.bool_], places: int, others: int = 0) -> NDArray[np.int64] | None:
    """Which of the sentences to keep, in their order, given which are over; None: all, for no smaller size fits.

    `others` come to stand beside them; together they have so many `places`.
    """
    unfinished = int((~over).sum())
    # ended sentences that fill the size up
    spare = min(fitting(unfinished + others), places) - others - unfinished
    if unfinished + spare >= len(over):
        return None
    keep = ~over
    keep[np.flatnonzero(over)[::-1][:spare]] = True  # the last to have come, or the first would stay to the end
    return np.flatnonzero(keep)


def positions(longest: int) -> int:
    """In how many positions sources of at most so many are read: rounded up to two binary digits or a multiple of 8."""
    step = max(SOURCE_STEP, 1 << max(longest.bit_length() - 2, 0))
    return -(-longest // step) * step


def padded(source_SB: Tensor) -> Tensor:
    """Sources in so many positions."""
    return F.pad(source_SB, (0, 0, 0, positions(len(source_SB)) - len(source_SB)), value=PAD_ID)


def fitted(memory: Memory) -> Memory:
    """The same memory in as few positions as hold every sentence."""
    return memory.resized(positions(int((memory.padding_BS == 0).sum(1).max())))
