"""The speed of a command that handles lines."""

from __future__ import annotations

import time

_INTERVAL_SECONDS = 10
"""Between two messages about the speed."""


class Pace:
    """Counts lines and the time that they take, from its construction on."""

    def __init__(self, command_start: float) -> None:
        """`command_start` is the time, by `time.perf_counter`, at which the command began to load models."""
        self.command_start, self.start, self.lines = command_start, time.perf_counter(), 0
        self._last_message = self.start

    def count(self, lines: int) -> bool:
        """Count lines that are done. Returns whether it is time for another message."""
        self.lines += lines
        now = time.perf_counter()
        is_due = now - self._last_message >= _INTERVAL_SECONDS
        self._last_message = now if is_due else self._last_message
        return is_due

    def describe(self) -> str:
        """The seconds of loading, then lines, seconds, and lines per second since."""
        seconds = time.perf_counter() - self.start
        rate = f", {self.lines / seconds:,.0f} a second" if seconds and self.lines else ""
        return f"model loaded in {self.start - self.command_start:.2f} s; {self.lines:,} lines in {seconds:.2f} s{rate}"
