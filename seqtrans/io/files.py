"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from seqtrans.errors import StreamError, UsageError

_MAX_LINKS = 40
"""Links from one to the next that are followed, as in Linux."""
_UNFINISHED: set[tuple[int, str]] = set()
"""The temporary files of outputs that are being written, each with the process that writes it."""


@contextmanager
def atomic_output(path: Path | str, is_wanted: Callable[[], bool] = lambda: True) -> Iterator[BinaryIO]:
    """A stream whose bytes become the file `path` at the end of the block, or are dropped if the block raises.

    They are dropped too if `is_wanted` returns False when all of them are written.

    The bytes go to a temporary file in the same directory, which is flushed to disk and renamed, and then the
    directory is flushed: after a crash the old file or the new one is there, never a part. A symbolic link stays and
    its target is replaced by a file with the same permissions, and the same owner and group where that is allowed.

    A device, a named pipe or an open file of a process, such as /dev/stderr or the /dev/fd/63 of a shell's `>(...)`, is
    written to directly: what stands in it stays.

    Raises:
        StreamError: the directory cannot be written, or the disk is full.
    """
    target = _target(path)
    try:
        if _is_special(target):
            with _opened(target) as stream:
                yield stream
            return
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        unfinished = (os.getpid(), temporary)
        _UNFINISHED.add(unfinished)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _give_permissions(temporary, target)
        if not is_wanted():
            os.unlink(temporary)  # noqa: PTH108
            return
        os.replace(temporary, target)  # noqa: PTH105
        _flush_directory(target.parent)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise
    finally:
        _UNFINISHED.discard(unfinished)


def discard_unfinished() -> None:
    """Remove the temporary files of this process, which is about to end without leaving the blocks that write them."""
    for process, temporary in list(_UNFINISHED):
        if process == os.getpid():
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108


def copy_file(source: Path, copy: Path, is_wanted: Callable[[], bool] = lambda: True) -> None:
    """Copy a file; the copy appears whole or not at all. For `is_wanted` see `atomic_output`.

    Raises:
        StreamError: the source cannot be read, or the copy cannot be written.
    """
    try:
        content = source.read_bytes()
    except OSError as error:
        raise StreamError(f"{source}: cannot be read: {error.strerror}") from None
    with atomic_output(copy, is_wanted) as stream:
        stream.write(content)


def check_output(path: Path | str, inputs: Iterable[Path] = ()) -> None:
    """Check that `atomic_output` can write there, before the work whose result it is to write.

    Raises:
        UsageError: `path` is one of the inputs, which would be overwritten.
        StreamError: the file or its directory cannot be written, or `path` is a directory.
    """
    target = _target(path)
    if any(target.is_file() and target == Path(os.path.realpath(file)) for file in inputs):
        raise UsageError(f"{path}: is read too, and would be overwritten; choose another output")
    try:
        if _own_descriptor(target) is not None:
            _opened(target).close()
            return
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if not _is_special(target):
            with tempfile.NamedTemporaryFile(prefix=f".{target.name}.", dir=target.parent):
                pass
    except OSError as error:
        raise _unwritable(path, error) from None


def _target(path: Path | str) -> Path:
    """The path without symbolic links, but for those in a process's folder of open files.

    They look like links, but what they name need not be a file: `pipe:[4711]`, or a log that others write to as well.
    """
    place = Path(path)
    for _ in range(_MAX_LINKS):
        place = Path(os.path.realpath(place.parent)) / place.name
        if not place.name or _is_descriptor(place) or not place.is_symlink():
            break
        place = place.parent / place.readlink()
    return place if _is_descriptor(place) else Path(os.path.realpath(path))


def _is_descriptor(target: Path) -> bool:
    """Whether a path, whose folder has no links, names an open file of a process."""
    return target.name.isdecimal() and re.fullmatch(r"/dev/fd|/proc/\d+(/task/\d+)?/fd", str(target.parent)) is not None


def _own_descriptor(target: Path) -> int | None:
    """The number of an open file of this process, if that is what the target is."""
    own = str(target.parent) in ("/dev/fd", f"/proc/{os.getpid()}/fd")
    return int(target.name) if own and _is_descriptor(target) else None


def _is_special(target: Path) -> bool:
    """Whether a device, pipe or open file is there, which must not be replaced: `-o /dev/null` would delete it."""
    return _is_descriptor(target) or (target.exists() and not target.is_file() and not target.is_dir())


def _opened(target: Path) -> BinaryIO:
    """A stream that writes to a special target directly.

    It goes on where other streams of the same open file have ended, and so overwrites nothing of theirs.

    Raises:
        OSError: it cannot be opened, or only be read.
    """
    number = _own_descriptor(target)
    if number is None:
        return target.open("ab" if _is_descriptor(target) else "wb")
    if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "it is open for reading only")
    return os.fdopen(os.dup(number), "wb")


def _give_permissions(temporary: str, target: Path) -> None:
    """Give a new file the permissions, owner and group of the one that it will replace, or those of any new file."""
    try:
        old = target.stat()
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # noqa: PTH101
        return
    mode = stat.S_IMODE(old.st_mode)
    new = Path(temporary).stat()
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        for owner in (old.st_uid, -1):  # only root may give the owner; anybody the group, if it is one of theirs
            with suppress(PermissionError):
                os.chown(temporary, owner, old.st_gid)
                break
        else:  # what the old group may do is not meant for another one
            mode = mode & ~0o070 | (mode & 0o007) << 3
    os.chmod(temporary, mode)  # noqa: PTH101


def _unwritable(path: Path | str, error: OSError) -> StreamError:
    folder = Path(path).parent
    if error.errno == errno.ENOENT and not folder.exists():
        return StreamError(f"{path}: cannot be written: there is no folder '{folder}'; make it first")
    return StreamError(f"{path}: cannot be written: {error.strerror or error}")


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
