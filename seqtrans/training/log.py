"""The training log: one JSON object a line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from seqtrans.errors import StreamError


class Log:
    """Appends records to a file."""

    def __init__(self, path: Path, length: int) -> None:
        """Open a log and keep its first `length` bytes: a resumed training drops the records after its checkpoint.

        Raises:
            StreamError: the file cannot be written.
        """
        try:
            self._stream: BinaryIO = path.open("r+b" if length and path.exists() else "wb")
            self._stream.seek(0, 2)
            self._stream.truncate(min(length, self._stream.tell()))
            self._stream.seek(0, 2)
        except OSError as error:
            raise StreamError(f"{path}: cannot be written: {error.strerror}") from None

    def write(self, event: str, **values: Any) -> None:
        """Add a record; numbers are rounded to six digits, and null where they are not finite."""
        record = {"event": event} | {key: _plain(value) for key, value in values.items()}
        self._stream.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._stream.flush()

    @property
    def length(self) -> int:
        """Bytes so far."""
        return self._stream.tell()

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()


def _plain(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None
