"""Proofs by many random cases: a sample of them in every run, the rest in `make prove`."""

from __future__ import annotations

import pytest


def with_seeds(sample: int, count: int, first: int = 0) -> pytest.MarkDecorator:
    """Give a test `seeds`: the first `sample` of `count` seeds from `first` on, and the others marked `prove`."""
    every = range(first, first + count)
    return pytest.mark.parametrize(
        "seeds",
        [
            pytest.param(every[:sample], id=f"{sample} of {count}"),
            pytest.param(every[sample:], id="the rest", marks=pytest.mark.prove),
        ],
    )
