"""Filters: one output line for each input line, written as soon as possible."""

from __future__ import annotations

import os
import queue
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from seqtrans.io.handover import Handover
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


@dataclass(frozen=True)
class _End:
    """What follows the last line."""

    error: BaseException | None


class _Reader:
    """A thread that reads lines, at most one chunk ahead."""

    def __init__(self, lines: Iterator[str], max_lines: int) -> None:
        self._lines = lines
        self._max_lines = max_lines
        self._read: Handover[str | _End] = Handover()
        self._end: _End | None = None
        self._taken = (0, 0)  # lines and characters, since the beginning
        self._changes: Handover[None] = Handover()  # holds an item if the thread should look again
        self._is_wanted = True
        # A daemon thread, because a read that never returns must not keep the process from ending.
        threading.Thread(target=self._run, name="reader", daemon=True).start()

    def take(self) -> list[str]:
        """All lines that were read, after waiting for at least one; an empty list at the end of the input."""
        chunk: list[str] = []
        characters = 0
        until = None
        while self._end is None and not _is_full(chunk, characters, self._max_lines):
            try:
                item = self._read.take(until)
            except queue.Empty:
                break
            if isinstance(item, _End):
                self._end = item
            else:
                until = until or time.monotonic() + _LINGER_SECONDS
                chunk.append(item)
                characters += len(item)
        if not chunk and self._end is not None and self._end.error is not None:
            raise self._end.error
        self._taken = (self._taken[0] + len(chunk), self._taken[1] + characters)
        self._let_go_on()
        return chunk

    def finish(self) -> None:
        """Let no more lines be read: the input has ended, or the caller needs no more.

        The thread ends, at the latest when its next line arrives.
        """
        self._is_wanted = False
        self._let_go_on()

    def _let_go_on(self) -> None:
        if self._changes.is_empty():
            self._changes.put(None)

    def _run(self) -> None:
        lines = characters = 0
        error = None
        try:
            for line in self._lines:
                while self._is_wanted and self._is_chunk_ahead(lines, characters):
                    self._changes.take()
                if not self._is_wanted:
                    return
                self._read.put(line)
                lines += 1
                characters += len(line)
        except BaseException as failure:  # `take` raises it to the caller
            error = failure
        finally:
            self._read.put(_End(error))

    def _is_chunk_ahead(self, lines: int, characters: int) -> bool:
        """Whether a whole chunk or more has been read, but not taken yet."""
        taken_lines, taken_characters = self._taken
        return lines - taken_lines >= self._max_lines or characters - taken_characters >= MAX_CHUNK_CHARACTERS
