"""The sentences of the development text whose translations every validation shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqtrans.randomness import derived_seed

EXAMPLES = 3


def choose_examples(sources: Sequence[str], seed: int) -> list[int]:
    """Line numbers, from 0, of up to `EXAMPLES` different sources: a short, a middle and a long one.

    The sources are sorted by length and divided into as many parts; one of each part is drawn with the seed.
    """
    first_lines: dict[str, int] = {}
    for number, source in enumerate(sources):
        if source.strip():
            first_lines.setdefault(source, number)
    by_length = sorted(first_lines.values(), key=lambda number: (len(sources[number]), number))
    random = np.random.default_rng(derived_seed(seed, "examples"))
    parts = [part for part in np.array_split(np.array(by_length, dtype=np.int64), EXAMPLES) if len(part)]
    return [int(random.choice(part)) for part in parts]
