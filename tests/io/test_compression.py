"""Compressed streams: read as they arrive, in little memory, and refused if they are damaged."""

from __future__ import annotations

import gzip
import io
import os
import random
import tracemalloc
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtrans.errors import DataError
from seqtrans.io.compression import decompressed
from seqtrans.io.filters import chunks_of
from seqtrans.io.line_report import LineReport
from seqtrans.io.lines import read_lines


def read(data: bytes) -> bytes:
    return decompressed(io.BytesIO(data), "text").read()


@given(st.binary(max_size=40))
def test_what_is_not_compressed_is_given_as_it_is(data: bytes) -> None:
    if not data.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        assert read(data) == data


@pytest.mark.parametrize("beginning", [b"", b"\x1f", b"\x28", b"\x28\xb5\x2f", b"\x1f\n", b"\n"])
def test_the_beginning_of_a_mark_is_text(beginning: bytes) -> None:
    assert read(beginning) == beginning


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=4))
def test_members_are_read_one_after_the_other(parts: list[bytes]) -> None:
    assert read(b"".join(map(gzip.compress, parts))) == b"".join(parts)


def test_no_place_at_which_a_text_was_cut_goes_unnoticed() -> None:
    data = gzip.compress(random.Random(1).randbytes(300))
    for length in range(2, len(data)):
        with pytest.raises(DataError, match=r"^text: is damaged: what gzip compressed ends too early$"):
            read(data[:length])


def test_a_large_text_goes_through_little_memory() -> None:
    """128 MiB of one character, which take 130 KB; the line is cut at a MiB, and the next ones are read."""
    packed = gzip.compress(b"x" * (1 << 27) + b"\nlast\n", 9)
    tracemalloc.start()
    report = LineReport("text")
    lines = list(read_lines(decompressed(io.BytesIO(packed), "text"), report))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(lines[0]), lines[1:]) == (1 << 20, ["last"])
    assert peak < 48 << 20


def test_a_compressed_pipe_gives_the_lines_that_have_arrived() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as sink:  # noqa: PTH123
        stream = decompressed(source, "pipe")
        chunks = chunks_of(stream, read_lines(stream, LineReport("pipe")), 64)
        sink.write(gzip.compress(b"one\ntwo\n"))
        assert next(chunks) == ["one", "two"]
        sink.write(gzip.compress(b"three\n"))
        assert next(chunks) == ["three"]
        sink.close()
        assert list(islice(chunks, 2)) == []


class Terminal(io.RawIOBase):
    """Gives what was typed, line by line; after the end of input it can be read again."""

    def __init__(self, *typed: bytes) -> None:
        self.typed = list(typed)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        line = self.typed.pop(0)
        buffer[: len(line)] = line
        return len(line)


@pytest.mark.parametrize("typed", [[b""], [b"\x1f", b""], [b"one\n", b""]])
def test_a_terminal_is_not_asked_again_after_the_end(typed: list[bytes]) -> None:
    assert decompressed(Terminal(*typed), "text").read() == b"".join(typed)
