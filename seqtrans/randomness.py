"""One seed, many independent streams.

Each consumer of randomness names itself and what it is about to do (an epoch, a step), and gets a seed of its
own. So a new consumer does not shift the others, and a resumed training needs no generator state: the stream
of step 1,000 follows from the seed and the number 1,000.
"""

from __future__ import annotations

import hashlib


def derived_seed(seed: int, name: str, *counters: int) -> int:
    """A 63-bit seed that depends on every argument."""
    text = ":".join([str(seed), name, *map(str, counters)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def uniform(seed: int, name: str, *counters: int) -> float:
    """A number from 0 to 1, 1 left out, that depends on every argument."""
    return (derived_seed(seed, name, *counters) >> 10) / (1 << 53)
