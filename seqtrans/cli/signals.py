"""What SIGINT (Ctrl-C), SIGTERM and SIGHUP do to the command line: it ends with 128 + the signal's number.

This module is imported before all others of the program, and imports little itself.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

_IMPORTING = "<frozen importlib._bootstrap>"
"""The file of Python's functions that import a module."""
_PATIENCE = 3.0
"""Seconds that a command has to end by itself."""


class Ending:
    """Ends the process on a signal: in the usual way if possible, and at once if not."""

    def __init__(self) -> None:
        self.is_awaited = False
        """Whether somebody catches what `receive` raises; until then a signal ends the process at once."""
        self._signal = 0

    def code(self) -> int:
        """The exit code that a signal has decided, or 0."""
        return 128 + self._signal if self._signal else 0

    def receive(self, number: int, frame: FrameType | None) -> NoReturn:
        """Raise KeyboardInterrupt or SystemExit. If nobody awaits that, in an import, or the second time, end at once.

        Modules that try to import another, and do without it if they cannot, would take the exception for a failure.
        An exception that is raised in a callback is lost too: a timer ends the process if nothing else does.
        """
        if self._signal or not self.is_awaited or _is_in_import(frame):
            _end(self._signal or number)
        self._signal = number
        signal.signal(signal.SIGALRM, self._give_up)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    def _give_up(self, _number: int, _frame: FrameType | None) -> NoReturn:
        _end(self._signal)


def receive_signals() -> Ending:
    """Let the signals end this process from now on. Where nohup ignores SIGHUP, or a shell SIGINT, it stays so."""
    ending = Ending()
    signal.signal(signal.SIGTERM, ending.receive)
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, ending.receive)
    return ending


def ignore_signals() -> None:
    """Let a process whose work is done end in peace: Python's end takes time. SIGTERM still ends it at once."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _is_in_import(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False


def _end(number: int) -> NoReturn:
    """End the process without a word, and without what Python does at its end."""
    discard = getattr(sys.modules.get("seqtrans.io.files"), "discard_unfinished", None)
    if discard is not None:
        discard()
    os._exit(128 + number)
