"""Filters: one output line for each input line, written as soon as possible."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from seqtrans.io.line_report import LineReport
from seqtrans.io.lines import one_line, open_input, read_lines

MAX_CHUNK_CHARACTERS = 1 << 22
"""A chunk is also full at this many characters (some MiB), so that long lines cannot take all memory."""

_LINGER_SECONDS = 0.002
"""How long to wait for more lines after the first of a chunk: a person does not notice it, and 1,000 lines come out of
a pipe."""


def filter_lines(
    sink: BinaryIO,
    convert: Callable[[list[str]], list[str]],
    texts: Sequence[Path | str] = ("-",),
    *,
    max_lines: int = 1024,
    count: Callable[[LineReport, int, list[str]], None] | None = None,
) -> None:
    """Convert the lines of `texts`, one after the other, and write them to `sink`; `-` is standard input.

    A line need not wait for the next one to be sent. `convert` gets a list of lines and returns as many. `count` adds
    to the report of a text what it finds in converted lines, of which it gets the first one's number. Finished lines
    are flushed chunk by chunk, so that an interruption loses none. What had to be mended is logged at the end of each
    text, also after an interruption.

    Raises:
        StreamError: a text cannot be read.
    """
    for text in texts:
        with open_input(text) as (stream, name):
            report = LineReport(name)
            first = 1
            try:
                for chunk in chunks_of(stream, read_lines(stream, report), max_lines):
                    converted = convert(chunk)
                    sink.write(b"".join(map(one_line, converted)))
                    sink.flush()
                    if count is not None:
                        count(report, first, converted)
                    first += len(chunk)
            finally:
                report.log_warnings()


def chunks_of(stream: BinaryIO, lines: Iterator[str], max_lines: int) -> Iterator[list[str]]:
    """Chunks of `lines`, which are read from `stream`.

    A stream that may block (a pipe, a terminal) gives the lines that have arrived. A file, or a stream without a file
    descriptor, gives full chunks. So the chunks of a file do not depend on timing, and neither does what a model
    computes from them.
    """
    try:
        may_block = not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:  # no file descriptor, as in the case of lines in memory
        may_block = False
    return available_chunks(lines, max_lines) if may_block else full_chunks(lines, max_lines)


def full_chunks(lines: Iterator[str], max_lines: int) -> Iterator[list[str]]:
    """Chunks of `max_lines` lines, fewer in the last one and where `MAX_CHUNK_CHARACTERS` is reached."""
    chunk: list[str] = []
    characters = 0
    for line in lines:
        chunk.append(line)
        characters += len(line)
        if _is_full(chunk, characters, max_lines):
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def available_chunks(lines: Iterator[str], max_lines: int) -> Iterator[list[str]]:
    """Chunks of the lines that have arrived: 1 to `max_lines` lines, in order.

    It waits for the first line, and at most `_LINGER_SECONDS` for more. A thread reads one chunk ahead while the
    caller works on another. An exception from `lines` is raised here, after all lines before it were given.
    KeyboardInterrupt can be raised while waiting.
    """
    reader = _Reader(lines, max_lines)
    try:
        while chunk := reader.take():
            yield chunk
    finally:
        reader.finish()


def _is_full(chunk: list[str], characters: int, max_lines: int) -> bool:
    return len(chunk) >= max_lines or characters >= MAX_CHUNK_CHARACTERS


class _Reader:
    """A thread that reads lines into a buffer of one chunk, and pauses while the buffer is full."""

    def __init__(self, lines: Iterator[str], max_lines: int) -> None:
        self._lines = lines
        self._max_lines = max_lines
        self._chunk: list[str] = []
        self._characters = 0
        self._error: BaseException | None = None
        self._ended = False
        self._changed = threading.Condition()
        # A daemon thread, because a read that never returns must not keep the process from ending.
        threading.Thread(target=self._read, name="reader", daemon=True).start()

    def take(self) -> list[str]:
        """All lines in the buffer, after waiting for at least one; an empty list at the end of the input."""
        with self._changed:
            self._changed.wait_for(lambda: self._chunk or self._ended)
            self._changed.wait_for(lambda: self._has_full_chunk() or self._ended, timeout=_LINGER_SECONDS)
            chunk, self._chunk, self._characters = self._chunk, [], 0
            self._changed.notify_all()
            if not chunk and self._error is not None:
                raise self._error
            return chunk

    def finish(self) -> None:
        """Let no more lines into the buffer: the input has ended, or the caller needs no more.

        The thread ends, at the latest when its next line arrives.
        """
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _has_full_chunk(self) -> bool:
        return _is_full(self._chunk, self._characters, self._max_lines)

    def _read(self) -> None:
        try:
            for line in self._lines:
                with self._changed:
                    self._changed.wait_for(lambda: not self._has_full_chunk() or self._ended)
                    if self._ended:
                        return
                    self._chunk.append(line)
                    self._characters += len(line)
                    if len(self._chunk) == 1 or self._has_full_chunk():  # the conditions that `take` waits for
                        self._changed.notify_all()
        except BaseException as error:  # `take` raises it to the caller
            self._error = error
        finally:
            self.finish()
