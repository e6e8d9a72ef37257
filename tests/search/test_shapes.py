"""Sentences leave a search in groups, and none that is still searched leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtrans.search.shapes import join_count, kept_sentences, rounded_batch_size, rounded_length


@pytest.mark.parametrize(
    ("count", "size"),
    [(0, 0), (1, 1), (5, 5), (7, 7), (8, 8), (9, 10), (15, 16), (17, 20), (31, 32), (57, 64), (65, 80)],
)
def test_few_sizes_fit_every_number(count: int, size: int) -> None:
    assert rounded_batch_size(count) == size


@pytest.mark.parametrize(
    ("longest", "wide"), [(1, 8), (8, 8), (9, 16), (25, 32), (32, 32), (33, 48), (49, 64), (65, 96), (500, 512)]
)
def test_sources_are_read_in_few_lengths(longest: int, wide: int) -> None:
    assert rounded_length(longest) == wide


@given(st.lists(st.booleans(), min_size=1, max_size=80), st.integers(0, 80), st.integers(0, 80))
def test_what_remains_holds_all_that_is_not_over_in_order(over: list[bool], free: int, others: int) -> None:
    places = len(over) + free
    others = min(others, places - over.count(False))
    wanted = min(rounded_batch_size(over.count(False) + others), places)
    found = kept_sentences(np.array(over), places, others)
    if found is None:
        assert wanted - others >= len(over)
        return
    kept = found.tolist()
    assert len(kept) + others == wanted
    assert len(kept) < len(over)
    assert kept == sorted(set(kept))
    assert {number for number, ended in enumerate(over) if not ended} <= set(kept)


@given(st.integers(0, 200), st.integers(0, 200))
def test_few_sizes_come_in_and_as_many_as_fit(waiting: int, free: int) -> None:
    count = join_count(waiting, free)
    assert count == rounded_batch_size(count)
    assert count <= min(waiting, free)
    assert count >= 0.75 * min(waiting, free)
