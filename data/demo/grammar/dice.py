"""Choices that come out the same on every machine: only `random.Random.random` promises that."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Dice:
    """A seeded source of choices."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._random.random() < probability

    def number(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items, each as likely."""
        return items[self.number(0, len(items) - 1)]

    def weighted(self, items: Sequence[tuple[int, Item]]) -> Item:
        """One of the items, as likely as its weight says."""
        rest = self._random.random() * sum(weight for weight, _ in items)
        for weight, item in items:
            rest -= weight
            if rest < 0:
                return item
        return items[-1][1]
