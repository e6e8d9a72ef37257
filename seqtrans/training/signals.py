"""Stopping on request: the first signal asks for an orderly end, the second has its usual effect."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Handler = Callable[[int, FrameType | None], Any] | int


class StopRequest:
    """Set by SIGINT, SIGTERM or SIGHUP; training looks at it after every step.

    SIGHUP means that the terminal is gone. A signal that is ignored stays so: SIGHUP where nohup has made it ignored,
    SIGINT where a shell has started the training in the background.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._handlers: dict[signal.Signals, Handler] = {}

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is None:
            self.signal = signal.Signals(number)
            return
        handler = self._handlers[signal.Signals(number)]
        signal.signal(number, handler)
        signal.raise_signal(number)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Receive the signals inside the block, and restore their handlers after it.

        Only the main thread can receive signals; in another one the block runs without.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        for number in _SIGNALS:
            if signal.getsignal(number) is signal.SIG_IGN:
                continue
            before = signal.signal(number, self._receive)
            # None: a handler that is not Python's, which Python cannot restore
            self._handlers[number] = signal.SIG_DFL if before is None else before
        try:
            yield
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
