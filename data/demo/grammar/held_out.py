"""Which combinations the training text never shows: decided by a hash, so that the rule needs no list.

A combination is a kind and two parts: a verb with its object's noun ("verb+object"), an adjective with its
noun ("adjective+noun"), the tens and ones of a number in words ("tens+ones"), the month and day of a date
("month+day"), the two halves of a surname ("surname").
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

from .entries import Feature

_SHARE = 26
"""Combinations whose hash begins with a byte below this are held out: one in ten."""


def is_held_out(feature: Feature) -> bool:
    """Whether a combination is kept for the test."""
    return hashlib.sha256("|".join(feature).encode()).digest()[0] < _SHARE


def parts(feature: Feature) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """The two parts of a combination, each with its kind and place."""
    kind, first, second = feature
    return (kind, "first", first), (kind, "second", second)


def count_parts(sentences: Iterable[frozenset[Feature]]) -> Counter[tuple[str, str, str]]:
    """How many sentences show each part in some combination."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for features in sentences:
        counts.update({part for feature in features for part in parts(feature)})
    return counts
