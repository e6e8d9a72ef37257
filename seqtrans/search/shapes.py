"""Batch sizes and source lengths of a search, rounded so that a search has few tensor shapes.

Sentences of a batch end at different steps. Two costs speak against removing each as soon as it ends. The libraries
behind torch build and cache a kernel for every new shape of a matrix product, which takes milliseconds and megabytes.
And removing a sentence copies the tensors of those that stay. So ended sentences stay in the batch until enough new
ones can replace them, or until the rest fits a smaller rounded size.

Shapes: B sentences, S source positions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from seqtrans.model.memory import Memory
from seqtrans.text.subwords import PAD_ID

LENGTH_STEP = 8
"""Padded source lengths are multiples of it."""

REFILL = 2
"""A batch takes new sentences when at least 1 / REFILL of its places are free."""


def rounded_batch_size(count: int) -> int:
    """The batch size for `count` sentences: rounded up to three significant bits, which adds less than a quarter."""
    step = 1 << max(count.bit_length() - 3, 0)
    return -(-count // step) * step


def join_count(waiting: int, free: int) -> int:
    """How many of `waiting` sentences join a batch with `free` places: rounded down to three significant bits."""
    count = min(waiting, free)
    step = 1 << max(count.bit_length() - 3, 0)
    return count // step * step


def kept_sentences(done_B: NDArray[np.bool_], places: int, joins: int = 0) -> NDArray[np.int64] | None:
    """Positions of the sentences that stay in the batch, in order; None if all stay because no smaller size fits.

    All sentences that are not done stay. `joins` sentences join them; the batch has at most `places` sentences.
    """
    unfinished = int((~done_B).sum())
    # sentences that are done and stay, to fill up the rounded size
    spare = min(rounded_batch_size(unfinished + joins), places) - joins - unfinished
    if unfinished + spare >= len(done_B):
        return None
    keep = ~done_B
    # the latest ones: the trace of the search is needed from the oldest sentence in the batch on
    keep[np.flatnonzero(done_B)[::-1][:spare]] = True
    return np.flatnonzero(keep)


def rounded_length(longest: int) -> int:
    """The padded length for sources of up to `longest` positions.

    It is rounded up to a multiple of 8 or, from 32 on, to two significant bits.
    """
    step = max(LENGTH_STEP, 1 << max(longest.bit_length() - 2, 0))
    return -(-longest // step) * step


def pad_to_rounded_length(source_SB: Tensor) -> Tensor:
    """Sources with PAD up to their `rounded_length`."""
    return F.pad(source_SB, (0, 0, 0, rounded_length(len(source_SB)) - len(source_SB)), value=PAD_ID)


def trim_memory(memory: Memory) -> Memory:
    """A memory with the smallest rounded number of positions that holds every sentence."""
    return memory.resized(rounded_length(int((memory.padding_BS == 0).sum(1).max())))
