"""What a file is, by its first bytes, whatever its name: a sealed container, a subword model or a text.

Torch is not imported here: a filter with a subword model does without.
"""

from __future__ import annotations

import difflib
import errno
import os
import stat
from pathlib import Path

from seqtrans.errors import DataError, StreamError
from seqtrans.io.compression import MAGICS

_BEGINNING = 4096
"""Bytes that are looked at."""
_SUBWORDS = b"\n\x0e\n\x05<pad>\x15"
"""How a subword model begins: with the first of the special subwords that all of them have here."""


def is_container(path: Path | str) -> bool:
    """Whether a file begins as a sealed container does, whole or damaged: eight bytes of a length, then `{`.

    A file that cannot be read, a pipe and a device are none; nothing is taken out of a pipe.
    """
    return _has_header(_beginning(path))


def is_empty(path: Path | str) -> bool:
    """Whether a regular file has no byte."""
    return Path(path).is_file() and not Path(path).stat().st_size


def is_text(path: Path | str) -> bool:
    """Whether a file looks like a text, plain or compressed with gzip or zstd. A model does not, nor a damaged one.

    An empty file, a pipe, a device and a file that cannot be read do not.
    """
    data = _beginning(path)
    if data.startswith(MAGICS):
        return True
    if not data or b"\0" in data or data[8:10] == b'{"' or Path(path).suffix == ".safetensors":
        return False
    # the first bytes of a model that was cut short have no NUL yet
    return len(data) > len(_SUBWORDS) or (_is_printable(data))


def check_model(path: Path | str, wanted: str) -> None:
    """Make sure that a file is there and is no text. `wanted` says which model it should be, such as `a translator`.

    Raises:
        StreamError: there is no such file; the message suggests one with a similar name.
        DataError: it is a text.
    """
    if is_text(path):
        raise DataError(f"{path}: is a text, not a model; {wanted} is expected here")
    if not os.path.lexists(path):
        problem = os.strerror(errno.ENOENT)
        raise StreamError(f"{path}: cannot be read: {problem}{_similar_file(Path(path))}")


def check_text(path: Path | str) -> None:
    """Make sure that a file can be read and is no model. A pipe is not touched.

    Raises:
        StreamError: it is missing, a directory or may not be read.
        DataError: it is a model.
    """
    data = b""
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            with Path(path).open("rb") as stream:
                data = stream.read(_BEGINNING)
    except OSError as error:
        raise StreamError(f"{path}: cannot be read: {error.strerror}") from None
    if _has_header(data) or data.startswith(_SUBWORDS):
        raise DataError(f"{path}: is a model, not a text; a text is expected here")


def _has_header(data: bytes) -> bool:
    return data[8:9] == b"{" and data[6:8] == b"\0\0"


def _is_printable(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


def _similar_file(path: Path) -> str:
    """The end of a message about a file that is missing: `; did you mean 'm.safetensors'?`, or ""."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    except OSError:
        return ""
    near = [name for name in names if Path(name).stem == path.name] or difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean '{path.parent / near[0]}'?" if near else ""


def _beginning(path: Path | str) -> bytes:
    """The first bytes of a regular file; none of anything else."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return b""
        with Path(path).open("rb") as stream:
            return stream.read(_BEGINNING)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return b""
