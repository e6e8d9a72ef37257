"""Messages of commands on standard error: the handler of the logger `seqtrans`.

Every module of the package logs with `logging.getLogger(__name__)`. A message that cannot be written is dropped: a
full or closed standard error neither stops a command nor changes its exit code.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TextIO, cast

Update = Callable[[str], None]
"""Replaces the text of a live line."""


def write_message(message: str) -> None:
    """Write one line that starts with the program's name, unless standard error cannot be written."""
    with suppress(OSError, ValueError):
        print(f"seqtrans: {message}", file=sys.stderr)


class MessageHandler(logging.Handler):
    """Writes each message as a line `seqtrans: message` or `seqtrans: warning: message`."""

    def __init__(self) -> None:
        super().__init__()
        self.write = write_message
        """The function that writes a message; `live_line` replaces it for a while."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        message = record.getMessage()
        with suppress(OSError, ValueError):
            self.write(f"warning: {message}" if record.levelno >= logging.WARNING else message)


_logger = logging.getLogger("seqtrans")
_handler = MessageHandler()


def show_messages() -> None:
    """Write all messages of the package, and pass none to handlers of other loggers."""
    _logger.handlers = [_handler]
    _logger.propagate = False
    _logger.setLevel(logging.INFO)


def show_warnings_only() -> None:
    """Drop messages that are not warnings."""
    _logger.setLevel(logging.WARNING)


@contextmanager
def live_line(enabled: bool = True) -> Iterator[Update | None]:
    """Keep a line at the bottom of the terminal; gives the function that replaces its text.

    Gives None if the line is not `enabled` or standard error is not a terminal. Inside the block, messages are
    written without the program's name, above the line.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(file=cast(IO[str], _LossyStream(sys.stderr)), highlight=False, soft_wrap=True, emoji=False)
    _handler.write = lambda message: console.print(message, markup=False)
    try:
        if enabled and console.is_terminal and not console.is_dumb_terminal:
            with console.status("starting") as status:
                yield lambda message: status.update(Text(message))
        else:
            yield None
    finally:
        _handler.write = write_message


class _LossyStream(io.TextIOBase):
    """A stream for a console that drops what cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()
