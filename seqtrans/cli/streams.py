"""Standard output and error: open, and in UTF-8, whatever the caller did to them."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import NoReturn


class _Closed(io.RawIOBase):
    """Standard output if the caller has closed it: every write fails."""

    def writable(self) -> bool:
        return True

    def write(self, _data: object) -> NoReturn:
        raise OSError(errno.EBADF, "cannot be written: it is closed", "standard output")


def prepare_streams() -> None:
    """Make standard output and error usable where `>&-` or `2>&-` closed them or LC_ALL=C changed their encoding.

    The next file that is opened would get a closed stream's descriptor, and messages for a closed standard error
    could end in that file. Such descriptors are therefore taken by /dev/null.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(_Closed(), write_through=True)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - open until the process ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # UTF-8 also under LC_ALL=C
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def flush_streams() -> bool:
    """Write out what is buffered. Returns whether all of it went to standard output.

    A stream that cannot be written is redirected to /dev/null; otherwise Python complains at its end.
    """
    is_complete = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            is_complete = is_complete and stream is sys.stderr  # messages may be lost, data may not
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return is_complete
