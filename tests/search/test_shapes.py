"""Sentences leave a search in groups, and none that is still searched leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtrans.search.shapes import fitting, remaining


@pytest.mark.parametrize(
    ("count", "size"),
    [(0, 0), (1, 1), (5, 5), (7, 7), (8, 8), (9, 10), (15, 16), (17, 20), (31, 32), (57, 64), (65, 80)],
)
def test_few_sizes_fit_every_number(count: int, size: int) -> None:
    assert fitting(count) == size


@given(st.lists(st.booleans(), min_size=1, max_size=80))
def test_what_remains_holds_all_that_is_not_over_in_order(over: list[bool]) -> None:
    found = remaining(np.array(over))
    if found is None:
        assert fitting(over.count(False)) >= len(over)
        return
    kept = found.tolist()
    assert len(kept) == fitting(over.count(False)) < len(over)
    assert kept == sorted(set(kept))
    assert {number for number, ended in enumerate(over) if not ended} <= set(kept)
