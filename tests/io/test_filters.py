"""Filters answer each line as soon as they can, lose none, and hold few."""

import _thread
import io
import itertools
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtrans.io import filters
from seqtrans.io.filters import available_chunks, chunks_of, full_chunks
from seqtrans.io.handover import Handover
from seqtrans.io.line_report import LineReport
from seqtrans.io.lines import read_lines


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["", "a", "bc"])), st.integers(1, 5))
def test_no_line_is_lost_and_no_chunk_too_long(lines: list[str], limit: int) -> None:
    for chunks in (available_chunks(iter(lines), limit), full_chunks(iter(lines), limit)):
        whole = list(chunks)
        assert [line for chunk in whole for line in chunk] == lines
        assert all(1 <= len(chunk) <= limit for chunk in whole)


def test_full_chunks_are_full() -> None:
    assert list(full_chunks(iter("abcde"), 2)) == [["a", "b"], ["c", "d"], ["e"]]


def test_the_first_line_is_there_before_the_second_is_sent() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as stream, os.fdopen(write_end, "wb", buffering=0) as sender:
        chunks = chunks_of(stream, read_lines(stream, LineReport("pipe")), 64)
        sender.write(b"one\n")
        assert next(chunks) == ["one"]
        sender.write(b"two\n")
        assert next(chunks) == ["two"]
        sender.write(b"three, without a newline")
        sender.close()
        assert list(chunks) == [["three, without a newline"]]


def test_what_has_arrived_comes_together_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_LINGER_SECONDS", 60)  # a busy machine must not part them
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as stream:
        with os.fdopen(write_end, "wb") as sender:
            sender.write(b"line\n" * 10)
        assert [len(chunk) for chunk in chunks_of(stream, read_lines(stream, LineReport("pipe")), 4)] == [
            4,
            4,
            2,
        ]


def test_chunks_of_a_file_are_full(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"line\n" * 10)
    with path.open("rb") as stream:
        chunks = chunks_of(stream, read_lines(stream, LineReport("file")), 4)
        assert [len(chunk) for chunk in chunks] == [4, 4, 2]
    memory = io.BytesIO(b"line\n" * 10)
    assert len(list(chunks_of(memory, read_lines(memory, LineReport("memory")), 4))) == 3


def test_reads_ahead_one_chunk_and_no_more() -> None:
    taken: list[int] = []

    def endless() -> Iterator[str]:
        for number in itertools.count():
            taken.append(number)
            yield str(number)

    chunks = available_chunks(endless(), 8)
    for _ in range(5):
        chunk = next(chunks)
        time.sleep(0.01)
        assert taken[-1] <= int(chunk[-1]) + 8 + 1
    chunks.close()  # type: ignore[attr-defined]


def test_long_lines_make_short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_LINGER_SECONDS", 60)
    monkeypatch.setattr(filters, "MAX_CHUNK_CHARACTERS", 10)
    lines = ["x" * 6] * 7
    for chunks in (available_chunks(iter(lines), 100), full_chunks(iter(lines), 100)):
        assert max(map(len, chunks)) == 2


def test_an_error_comes_after_the_lines_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_LINGER_SECONDS", 60)

    def broken() -> Iterator[str]:
        yield "a"
        yield "b"
        raise OSError("cable pulled")

    chunks = available_chunks(broken(), 10)
    assert next(chunks) == ["a", "b"]
    with pytest.raises(OSError, match="cable pulled"):
        next(chunks)


def test_the_thread_ends_with_its_user() -> None:
    def readers() -> int:
        return sum(thread.name == "reader" for thread in threading.enumerate())

    chunks = available_chunks(iter("abcdefgh"), 2)
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    wait_until(lambda: readers() == 0)


def test_a_signal_that_comes_just_before_a_wait_is_received() -> None:
    """`interrupt_main` is such a signal: it ends no wait."""
    items: Handover[str] = Handover()
    interrupt, late = threading.Timer(0.05, _thread.interrupt_main), threading.Timer(6, items.put, ["too late"])
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - on a busy machine it may come before the wait
            for timer in (interrupt, late):
                timer.start()
            items.take()
    finally:
        late.cancel()
    assert time.monotonic() < began + 4  # else it was the item that ended the wait


def test_what_is_handed_over_keeps_its_order_and_a_deadline_its_time() -> None:
    items: Handover[int] = Handover()
    with pytest.raises(queue.Empty):
        items.take(time.monotonic() - 1)
    began = time.monotonic()
    with pytest.raises(queue.Empty):
        items.take(began + 0.3)
    assert time.monotonic() >= began + 0.3
    for number in range(3):
        items.put(number)
    assert [items.take() for _ in range(3)] == [0, 1, 2]
    assert items.is_empty()
