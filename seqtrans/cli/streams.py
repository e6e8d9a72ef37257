"""Standard output and error as every command may rely on them: there, and in UTF-8."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import NoReturn


def say(message: str) -> None:
    """A line on standard error."""
    print(f"seqtrans: {message}", file=sys.stderr)


class _Closed(io.RawIOBase):
    """What stands for a standard output that the caller has closed: nothing can be written to it."""

    def writable(self) -> bool:
        return True

    def write(self, _data: object) -> NoReturn:
        raise OSError(errno.EBADF, "cannot be written: it is closed", "standard output")


def prepare_streams() -> None:
    """Make the standard streams usable: `>&-` and `2>&-` close them, LC_ALL=C changes their encoding.

    A closed descriptor would be given to the next file that is opened, and Python would write messages meant
    for a closed standard error to standard output.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(_Closed(), write_through=True)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # LC_ALL=C is UTF-8 all the same
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def flush_streams() -> bool:
    """Write out what is buffered; a stream that cannot be is pointed away, or Python complains when it ends."""
    whole = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            whole = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return whole
