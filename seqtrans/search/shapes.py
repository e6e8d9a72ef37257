"""Few shapes for a search whose sentences end one by one.

A library builds and keeps a kernel for every new shape of a product, which costs milliseconds and megabytes; and
what leaves a batch costs a copy of what stays. So ended sentences stay until the batch fits a smaller size.

Shapes: B sentences, S source positions.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from seqtrans.model.memory import Memory

SOURCE_STEP = 8


def fitting(count: int) -> int:
    """The size in which `count` sentences are searched: rounded up to three binary digits, at most a quarter more."""
    step = 1 << max(count.bit_length() - 3, 0)
    return -(-count // step) * step


def remaining(over: list[bool]) -> list[int] | None:
    """Which of the sentences to keep, in their order, given which are over; None: all, for no smaller size fits."""
    size = fitting(over.count(False))
    if size >= len(over):
        return None
    spare = size - over.count(False)  # ended sentences that fill the size up
    kept = []
    for number, ended in enumerate(over):
        if not ended or spare:
            kept.append(number)
            spare -= ended
    return kept


def padded(memory: Memory) -> Memory:
    """The same memory, with more padding at the end, for a multiple of 8 source positions."""
    more = -memory.padding_BS.shape[1] % SOURCE_STEP
    if not more:
        return memory
    return Memory(
        F.pad(memory.values_BSD, (0, 0, 0, more)),
        F.pad(memory.keys_BSA, (0, 0, 0, more)),
        F.pad(memory.padding_BS, (0, more), value=-torch.inf),
        memory.summary_BD,
    )
