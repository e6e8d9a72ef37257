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
    """A stream whose bytes become the file `path` at the end of the block, or are dropped if the block raises.

    The bytes go to a temporary file in the same directory, which is flushed to disk and renamed, and then the
    directory is flushed: after a crash the old file or the new one is there, never a part. A symbolic link stays and
    its target is replaced. A device or a named pipe is written to directly.

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
        # mkstemp makes files that only their owner can read; the result gets the permissions of any new file
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
    """Copy a file; the copy appears whole or not at all.

    Raises:
        StreamError: the source cannot be read, or the copy cannot be written.
    """
    try:
        content = source.read_bytes()
    except OSError as error:
        raise StreamError(f"{source}: cannot be read: {error.strerror}") from None
    with atomic_output(copy) as stream:
        stream.write(content)


def check_output(path: Path | str, inputs: Iterable[Path] = ()) -> None:
    """Check that `atomic_output` can write there, before the work whose result it is to write.

    Raises:
        UsageError: `path` is one of the inputs, which would be overwritten.
        StreamError: the file or its directory cannot be written, or `path` is a directory.
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
    """Whether a device or pipe is there, which must not be replaced: `-o /dev/null` as root would delete it."""
    return target.exists() and not target.is_file() and not target.is_dir()


def _unwritable(path: Path | str, error: OSError) -> StreamError:
    return StreamError(f"{path}: cannot be written: {error.strerror or error}")


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
