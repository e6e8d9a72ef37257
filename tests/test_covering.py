"""A covering selection leaves out no pair of values, and is much smaller than the product."""

from __future__ import annotations

from itertools import combinations
from math import prod

import pytest

from tests.covering import covering


@pytest.mark.parametrize(
    ("sizes", "most"),
    [
        ((2, 2), 4),
        ((2, 2, 2), 4),
        ((3, 3, 3), 11),
        ((9, 7, 2, 2, 2, 2), 66),
        ((1, 5), 5),
        ((2,) * 12, 12),
        ((4, 3, 1), 12),
    ],
)
def test_every_pair_of_values_is_in_a_case(sizes: tuple[int, ...], most: int) -> None:
    options = {f"option {number}": [f"{number}.{value}" for value in range(size)] for number, size in enumerate(sizes)}
    cases = covering(options)
    for one, other in combinations(options, 2):
        assert {(case[one], case[other]) for case in cases} == {(a, b) for a in options[one] for b in options[other]}
    assert all(case.keys() == options.keys() for case in cases)
    assert len(cases) <= min(most, prod(sizes))
    assert covering(options) == cases
