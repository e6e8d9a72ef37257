"""Few cases in place of a product of independent options: every two values of two options meet in one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

Place = tuple[int, int]
"""An option and one of its values, both by number."""


def covering(options: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Cases with a value for each option, so that each pair of values of two options is in at least one case.

    Greedy: a case begins with the first pair that is missing, and takes for every other option the value that brings
    most missing pairs, of several such values the one that was used least. The same options give the same cases.
    """
    values = list(options.values())
    missing = dict.fromkeys(_pairs(values))  # a set that keeps its order
    used: dict[Place, int] = {}
    cases = []
    while missing:
        case = dict(next(iter(missing)))
        for option in range(len(values)):
            if option not in case:
                case[option] = _best(option, len(values[option]), case, missing, used)
        for place in case.items():
            used[place] = used.get(place, 0) + 1
        for pair in combinations(sorted(case.items()), 2):
            missing.pop(pair, None)
        cases.append({name: options[name][case[number]] for number, name in enumerate(options)})
    return cases


def _best(
    option: int, count: int, case: Mapping[int, int], missing: Mapping[Any, None], used: Mapping[Place, int]
) -> int:
    def worth(value: int) -> tuple[int, int]:
        pairs = (tuple(sorted([place, (option, value)])) for place in case.items())
        return sum(pair in missing for pair in pairs), -used.get((option, value), 0)

    return max(range(count), key=worth)


def _pairs(values: Sequence[Sequence[Any]]) -> Iterator[tuple[Place, Place]]:
    for one, other in combinations(range(len(values)), 2):
        for a, b in product(range(len(values[one])), range(len(values[other]))):
            yield (one, a), (other, b)
