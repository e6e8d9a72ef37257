"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from seqtrans.errors import StreamError, UsageError


@contextmanager
def atomic_output(path: Path | str) -> Iterator[BinaryIO]:
    """A stream whose bytes become the file `path` when the block ends well, and vanish when it does not.

    Written to a temporary file in the same directory, flushed to disk, renamed, and the directory flushed:
    after a crash the old file or the new one is there, never a part. A link stays and its target is replaced;
    what is no file (a device, a named pipe) is written to as it is.

    Raises:
        StreamError: the directory cannot be written, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    try:
        if _is_special(target):
            with target.open("wb") as stream:
                yield stream
            return
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes private files; give the result the permissions any new file would have
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # noqa: PTH101
        os.replace(temporary, target)  # noqa: PTH105
        _flush_directory(target.parent)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise


def copy_file(source: Path, copy: Path) -> None:
    """Write the bytes of one file to another, whole or not at all.

    Raises:
        StreamError: one cannot be read, or the other cannot be written.
    """
    try:
        content = source.read_bytes()
    except OSError as error:
        raise StreamError(f"{source}: cannot be read: {error.strerror}") from None
    with atomic_output(copy) as stream:
        stream.write(content)


def check_output(path: Path | str, inputs: Iterable[Path] = ()) -> None:
    """Make sure that `atomic_output` will be able to write, before the work that leads there.

    Raises:
        UsageError: `path` is one of the inputs, which would be lost.
        StreamError: the directory or the file that is there cannot be written, or `path` is a directory.
    """
    target = Path(os.path.realpath(path))
    if any(target.is_file() and target == Path(os.path.realpath(file)) for file in inputs):
        raise UsageError(f"{path}: is read too, and would be overwritten; choose another output")
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if not _is_special(target):
            with tempfile.NamedTemporaryFile(prefix=f".{target.name}.", dir=target.parent):
                pass
    except OSError as error:
        raise _unwritable(path, error) from None


def _is_special(target: Path) -> bool:
    """Whether something is there that must not be replaced: `-o /dev/null` as root would be the end of it."""
    return target.exists() and not target.is_file() and not target.is_dir()


def _unwritable(path: Path | str, error: OSError) -> StreamError:
    return StreamError(f"{path}: cannot be written: {error.strerror or error}")


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
