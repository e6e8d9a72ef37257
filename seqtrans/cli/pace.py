"""How fast lines are done."""

from __future__ import annotations

import time

_TELL_SECONDS = 10


class Pace:
    """How fast it goes."""

    def __init__(self, begun: float) -> None:
        self.begun, self.started, self.lines = begun, time.perf_counter(), 0
        self._told = self.started

    def count(self, lines: int) -> None:
        """So many lines more are done."""
        self.lines += lines

    def is_time(self) -> bool:
        """Whether some seconds have gone by."""
        now = time.perf_counter()
        due = now - self._told >= _TELL_SECONDS
        self._told = now if due else self._told
        return due

    def describe(self) -> str:
        """Lines and seconds, the model's loading apart."""
        seconds = time.perf_counter() - self.started
        rate = f", {self.lines / seconds:,.0f} a second" if seconds and self.lines else ""
        return f"model loaded in {self.started - self.begun:.2f} s; {self.lines:,} lines in {seconds:.2f} s{rate}"
