"""The largest few of many, against the library's own."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqtrans.search.top import MAX_GROUP, MIN_VALUES, top, top_by_groups


def check(values: Tensor, k: int) -> None:
    expected = values.topk(min(k, values.shape[1]), dim=1).values
    for way in (top, top_by_groups):
        best, places = way(values, k)
        assert torch.equal(best, expected)
        assert torch.equal(values.gather(1, places), best)
        assert all(len(set(row)) == len(row) for row in places.tolist())


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 5), st.integers(1, 3000), st.integers(1, 12), st.integers(0, 10**6), st.booleans())
def test_the_values_are_those_of_topk_and_stand_where_they_are_said_to(
    rows: int, many: int, k: int, seed: int, ties: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, many, generator=generator)
    if ties:
        values = values.round()
    check(values, k)


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 3), st.integers(4 * MAX_GROUP, 40 * MAX_GROUP), st.integers(0, 10**6), st.floats(0, 1))
def test_places_that_are_ruled_out_come_last(rows: int, many: int, seed: int, share: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, many, generator=generator)
    values[torch.rand(rows, many, generator=generator) < share] = -torch.inf
    check(values, 6)


@pytest.mark.parametrize("place", [0, 1, MAX_GROUP - 1, MAX_GROUP, 4096 - 1, 4096, 4100])
def test_the_largest_is_found_wherever_it_is(place: int) -> None:
    values = torch.zeros(2, 4101, dtype=torch.float64)
    values[1, place] = 1
    best, places = top_by_groups(values, 10)
    assert best[1, 0] == 1
    assert places[1, 0] == place
    check(values, 10)


@pytest.mark.parametrize("together", ["neighbours", "one group", "the rest"])
def test_the_largest_may_all_lie_together(together: str) -> None:
    many, k = 100 * MAX_GROUP + 7, 8
    places = {
        "neighbours": list(range(500, 500 + k)),
        "one group": [3 + 100 * i for i in range(k)],
        "the rest": list(range(many - 7, many)),
    }[together]
    values = torch.randn(1, many)
    values[0, places] = torch.arange(100.0, 100 + len(places))
    _, found = top_by_groups(values, len(places))
    assert found[0].tolist() == places[::-1]


def test_fewer_values_than_wanted() -> None:
    for way in (top, top_by_groups):
        best, places = way(torch.tensor([[1.0, 3.0, 2.0]]), 10)
        assert best.tolist() == [[3, 2, 1]]
        assert places.tolist() == [[1, 2, 0]]


def test_many_values() -> None:
    check(torch.randn(2, MIN_VALUES, generator=torch.Generator().manual_seed(3)), 5)
