"""A queue from one thread to another that an interruption cannot break.

The queues and conditions of Python's library are written in Python. An exception that a signal raises in the midst of
them leaves a lock taken that nobody gives back, or gives one back twice. `queue.SimpleQueue` is written
in C, and is not interrupted half-way.
"""

from __future__ import annotations

import queue
import time
from typing import Generic, TypeVar

Item = TypeVar("Item")

_LOST_SIGNAL_SECONDS = 0.2
"""A signal that arrives just before a wait does not interrupt that wait, so waits are cut into parts of this length."""


class Handover(Generic[Item]):
    """Items in the order in which they were put."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()

    def put(self, item: Item) -> None:
        """Add an item."""
        self._items.put(item)

    def is_empty(self) -> bool:
        """Whether all items were taken."""
        return self._items.empty()

    def take(self, until: float | None = None) -> Item:
        """The next item. Waits for it, but not beyond `until`, a time of `time.monotonic()`. Signals are received.

        Raises:
            queue.Empty: there is none.
        """
        left = 0.0
        while True:
            try:
                return self._items.get(block=left > 0, timeout=left)
            except queue.Empty:
                left = _LOST_SIGNAL_SECONDS if until is None else min(_LOST_SIGNAL_SECONDS, until - time.monotonic())
                if left <= 0:
                    raise
