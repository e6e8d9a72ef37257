"""Files that appear whole or not at all: what a failure leaves, and the order of the system calls."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from seqtrans.errors import StreamError, UsageError
from seqtrans.io.files import atomic_output, check_output, copy_file

as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")


def test_writes_the_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with atomic_output(path) as stream:
        stream.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [ValueError("mine"), KeyboardInterrupt(), SystemExit(143)])
def test_a_failure_keeps_the_old_file_and_leaves_no_other(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def write_half() -> None:
        with atomic_output(path) as stream:
            stream.write(b"half of the n")
            stream.flush()
            raise failure

    with pytest.raises(type(failure)):
        write_half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_keeps_the_old_file_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "out"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StreamError, match=f"^{path}: cannot be written: No space left"), atomic_output(path):
        pass
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_data_reaches_the_disk_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        calls.append("fsync directory" if is_directory else f"fsync {os.fstat(descriptor).st_size} bytes")
        fsync(descriptor)

    def noted_replace(old: str, new: str) -> None:
        calls.append("replace")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    with atomic_output(tmp_path / "out") as stream:
        stream.write(b"four")
    assert calls == ["fsync 4 bytes", "replace", "fsync directory"]


def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    with atomic_output(tmp_path / "ours"):
        pass
    (tmp_path / "plain").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("write", [check_output, lambda path: atomic_output(path).__enter__()])
def test_a_directory_that_is_missing_is_a_stream_error(tmp_path: Path, write: Callable[[Path], object]) -> None:
    path = tmp_path / "missing" / "out"
    problem = f"there is no folder '{path.parent}'; make it first"
    with pytest.raises(StreamError, match=f"^{path}: cannot be written: {problem}$"):
        write(path)


@as_user
@pytest.mark.parametrize("write", [check_output, lambda path: atomic_output(path).__enter__()])
def test_a_directory_without_permission_is_a_stream_error(tmp_path: Path, write: Callable[[Path], object]) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StreamError, match="cannot be written: Permission denied"):
        write(tmp_path / "out")


@as_user
def test_a_file_without_permission_is_a_stream_error(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(0o400)
    with pytest.raises(StreamError, match="cannot be written: Permission denied"):
        check_output(path)


def test_an_output_that_is_read_too_is_refused(tmp_path: Path) -> None:
    path, link = tmp_path / "text", tmp_path / "link"
    path.write_bytes(b"text")
    link.symlink_to(path)
    with pytest.raises(UsageError, match="would be overwritten"):
        check_output(link, [tmp_path / "other", path])
    check_output(tmp_path / "new", [path])


def test_a_directory_in_the_place_of_the_file_is_a_stream_error(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="Is a directory"):
        check_output(tmp_path)
    (tmp_path / "out").mkdir()
    with pytest.raises(StreamError), atomic_output(tmp_path / "out"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_checking_the_output_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    check_output(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    target = tmp_path / "store" / "target"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(target)
    with atomic_output(link) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check_output(pipe)
        with atomic_output(pipe) as stream:
            stream.write(b"new")
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(mode)
    with atomic_output(path) as stream:
        stream.write(b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_that_is_replaced_keeps_its_owner_and_group(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    os.chown(path, 12345, 23456)
    with atomic_output(path) as stream:
        stream.write(b"new")
    status = path.stat()
    assert (path.read_bytes(), status.st_uid, status.st_gid) == (b"new", 12345, 23456)


def test_an_open_pipe_is_written_to_by_its_number(tmp_path: Path) -> None:
    """As `>(gzip > x)` of a shell, which is /dev/fd/63; also through a link of the user."""
    reader, writer = os.pipe()
    link = tmp_path / "link"
    link.symlink_to(f"/dev/fd/{writer}")
    try:
        for path in (f"/dev/fd/{writer}", f"/proc/self/fd/{writer}", link):
            check_output(path)
            with atomic_output(path) as stream:
                stream.write(b"new")
            assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)
        os.close(writer)
    assert list(tmp_path.iterdir()) == [link]


def test_an_open_file_is_written_to_after_what_stands_in_it(tmp_path: Path) -> None:
    """As /dev/stderr is with `2> log`: the log is not replaced, and what others write to it comes after."""
    log = tmp_path / "log"
    with log.open("wb", buffering=0) as other:
        inode = log.stat().st_ino
        other.write(b"before\n")
        check_output(f"/dev/fd/{other.fileno()}")
        with atomic_output(f"/dev/fd/{other.fileno()}") as stream:
            stream.write(b"ours\n")
        other.write(b"after\n")
    assert log.read_bytes() == b"before\nours\nafter\n"
    assert log.stat().st_ino == inode
    assert list(tmp_path.iterdir()) == [log]


def test_an_open_file_that_cannot_be_written_is_a_stream_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"text")
    with (tmp_path / "text").open("rb") as text, pytest.raises(StreamError, match="open for reading only"):
        check_output(f"/dev/fd/{text.fileno()}")
    with pytest.raises(StreamError, match="cannot be written: Bad file descriptor"):
        check_output("/dev/fd/999")


def test_links_in_a_circle_are_a_stream_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(StreamError, match="cannot be written"), atomic_output(tmp_path / "a"):
        pass


def test_a_copy_that_is_not_wanted_any_more_does_not_appear(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(b"new")
    for before in (None, b"old"):
        if before is not None:
            copy.write_bytes(before)
        copy_file(source, copy, is_wanted=lambda: False)
        assert (copy.read_bytes() if copy.exists() else None) == before
        assert len(list(tmp_path.iterdir())) == 1 + (before is not None)
    copy_file(source, copy, is_wanted=lambda: True)
    assert copy.read_bytes() == b"new"
