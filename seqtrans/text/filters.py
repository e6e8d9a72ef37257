"""Filters: lines in, as many lines out, each answered as soon as it can be."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

from seqtrans.text.lines import LineReport, one_line, open_input, read_lines

MAX_CHUNK_CHARACTERS = 1 << 22
"""A chunk is full at this many characters too (some MiB), so that long lines cannot take all memory."""

_LINGER_SECONDS = 0.002
"""How long a chunk with a line waits for more: nothing to a person, a thousand lines to a pipe."""


def filter_lines(
    sink: BinaryIO,
    convert: Callable[[list[str]], list[str]],
    *,
    warn: Callable[[str], None],
    max_lines: int = 1024,
) -> None:
    """Write the conversion of each line of standard input to `sink`, line i before line i + 1 is sent.

    `convert` gets a list of lines and returns as many. Finished lines are flushed chunk by chunk, so that an
    interruption loses none; `warn` is told at the end, also then, what had to be mended.
    """
    with open_input("-") as (stream, name):
        report = LineReport(name)
        try:
            for chunk in chunks_of(stream, read_lines(stream, report), max_lines):
                sink.write(b"".join(map(one_line, convert(chunk))))
                sink.flush()
        finally:
            for warning in report.warnings():
                warn(warning)


def chunks_of(stream: BinaryIO, lines: Iterator[str], max_lines: int) -> Iterator[list[str]]:
    """Chunks of the lines read from `stream`: what has arrived, or all full where the stream is a file.

    In a file everything is there: its chunks depend on no timing, and so neither does what a model makes of
    them.
    """
    try:
        waits = not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:
        waits = False
    return available_chunks(lines, max_lines) if waits else full_chunks(lines, max_lines)


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
    """Chunks of the lines that are there: at least one, at most `max_lines`, in order, none held back.

    A thread reads ahead by one chunk while the caller works on another. What `lines` raises is raised here,
    after the lines before it; KeyboardInterrupt comes through while waiting.
    """
    reader = _Reader(lines, max_lines)
    try:
        while chunk := reader.take():
            yield chunk
    finally:
        reader.stop()


def _is_full(chunk: list[str], characters: int, max_lines: int) -> bool:
    return len(chunk) >= max_lines or characters >= MAX_CHUNK_CHARACTERS


class _Reader:
    """A thread that reads lines into a buffer of one chunk, and waits while that is full."""

    def __init__(self, lines: Iterator[str], max_lines: int) -> None:
        self._lines = lines
        self._max_lines = max_lines
        self._chunk: list[str] = []
        self._characters = 0
        self._error: BaseException | None = None
        self._ended = False
        self._changed = threading.Condition()
        # A daemon: a read that never returns must not keep the process from ending.
        threading.Thread(target=self._read, name="reader", daemon=True).start()

    def take(self) -> list[str]:
        """All lines that are there, waiting for one; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._chunk or self._ended)
            self._changed.wait_for(self._is_complete, timeout=_LINGER_SECONDS)
            chunk, self._chunk, self._characters = self._chunk, [], 0
            self._changed.notify_all()
            if not chunk and self._error is not None:
                raise self._error
            return chunk

    def stop(self) -> None:
        """Let the thread end, at its next line if it waits for one."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _is_complete(self) -> bool:
        return self._ended or _is_full(self._chunk, self._characters, self._max_lines)

    def _read(self) -> None:
        try:
            for line in self._lines:
                with self._changed:
                    self._changed.wait_for(lambda: not self._is_complete() or self._ended)
                    if self._ended:
                        return
                    self._chunk.append(line)
                    self._characters += len(line)
                    if len(self._chunk) == 1 or self._is_complete():  # what `take` waits for
                        self._changed.notify_all()
        except BaseException as error:  # whatever it is, the caller must learn of it
            self._error = error
        finally:
            self.stop()
