"""Lines of text as streams of bytes: N lines in, N lines out, whatever the bytes.

A line ends at LF and nowhere else. `str.splitlines`, text-mode files and `str.strip` also split at or eat
VT, FF, CR, U+001C-E, U+0085, U+00A0, U+2028 and U+2029, which in a parallel text shifts every later line.
"""

from __future__ import annotations

import codecs
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from seqtrans.errors import DataError, StreamError

MAX_LINE_BYTES = 1 << 20
"""Longer lines are cut here (1 MiB), so that one hostile line cannot take all memory."""

_NAMED = 8
"""So many lines that something befell are told by number."""

_BREAKS = str.maketrans({"\n": " ", "\r": " ", "\0": " "})


@dataclass
class Tally:
    """How many lines something befell, and the numbers (from 1) of the first of them."""

    count: int = 0
    numbers: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count one line more."""
        self.count += 1
        if self.count <= _NAMED:
            self.numbers.append(line)

    @property
    def first(self) -> int:
        """The first of them; 0 where there is none."""
        return self.numbers[0] if self.numbers else 0

    def lines(self) -> str:
        """Where there are several, their numbers."""
        more = ", ..." if self.count > _NAMED else ""
        return f" (lines {', '.join(map(str, self.numbers))}{more})" if self.count > 1 else ""


@dataclass
class LineReport:
    """What was mended while reading the stream `name`: invalid UTF-8, NULs, lines cut short."""

    name: str
    lines: int = 0
    invalid: Tally = field(default_factory=Tally)
    nul: Tally = field(default_factory=Tally)
    cut: Tally = field(default_factory=Tally)
    unread: Tally = field(default_factory=Tally)
    """Lines of which the reader's user took a part only, and the length of that part."""
    unread_beyond: str = ""
    unmet: Tally = field(default_factory=Tally)
    """Lines whose translation does not hold, or begin with, all that is required."""
    unsaid: Tally = field(default_factory=Tally)
    """Lines that have no translation."""

    def warnings(self) -> Iterator[str]:
        """One sentence for each kind of mended line, with the number of lines and the first of them."""
        kinds = (
            (self.invalid, "not valid UTF-8, bad bytes replaced by U+FFFD"),
            (self.nul, "with NUL, replaced by U+FFFD"),
            (self.unread, f"longer than {self.unread_beyond}, the rest left out"),
            (
                self.unmet,
                "with a prefix or phrases that no translation can hold, left out: "
                "characters or words that the model does not know, more than 500 subwords, or a blank source",
            ),
            (self.unsaid, "with no translation: nothing that is allowed can end; blank"),
            (self.cut if self.cut != self.unread else Tally(), f"longer than {MAX_LINE_BYTES} bytes, cut there"),
        )
        for tally, what in kinds:
            if tally.count:
                yield f"{self.name}:{tally.first}: {tally.count} line(s) {what}{tally.lines()}"


def read_lines(stream: BinaryIO, report: LineReport, *, strict: bool = False) -> Iterator[str]:
    r"""Decode UTF-8 lines without their LF; one CR before it and a BOM at the stream's start go too.

    CRs elsewhere become spaces, NUL becomes U+FFFD; `report` counts what was mended.

    Raises:
        DataError: with `strict`, at the first byte that is not UTF-8, naming file, line and byte offset.
    """
    offset = 0
    while raw := stream.readline(MAX_LINE_BYTES):
        report.lines += 1
        start, offset = offset, offset + len(raw)
        if not raw.endswith(b"\n") and len(raw) == MAX_LINE_BYTES:
            rest, end = _skip_line(stream)
            offset += rest + end
            if rest:
                report.cut.add(report.lines)
                raw = _whole_characters(raw)
        if report.lines == 1 and raw.startswith(codecs.BOM_UTF8):
            raw, start = raw[len(codecs.BOM_UTF8) :], len(codecs.BOM_UTF8)
        yield _decode(raw, report, start, strict)


def _skip_line(stream: BinaryIO) -> tuple[int, int]:
    """Read to the end of the line; return the numbers of bytes before LF, and of LFs, which the last line may lack."""
    skipped = 0
    while rest := stream.readline(MAX_LINE_BYTES):
        if rest.endswith(b"\n"):
            return skipped + len(rest) - 1, 1
        skipped += len(rest)
    return skipped, 0


def _whole_characters(raw: bytes) -> bytes:
    """Drop a character that the cut went through."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(raw)
    pending, _ = decoder.getstate()
    return raw[: len(raw) - len(pending)]


def _decode(raw: bytes, report: LineReport, start: int, strict: bool) -> str:
    raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    try:
        line = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if strict:
            raise DataError(
                f"{report.name}:{report.lines}: byte {raw[error.start]:#04x} at offset {start + error.start} "
                "is not UTF-8; convert the file (iconv -t utf-8) or remove the line"
            ) from None
        report.invalid.add(report.lines)
        line = raw.decode("utf-8", errors="replace")
    if "\0" in line:
        report.nul.add(report.lines)
        line = line.replace("\0", "\ufffd")
    return line.replace("\r", " ")


def one_line(text: str) -> bytes:
    """`text` as one output line: line ends and NULs inside become spaces, one LF at the end."""
    return without_breaks(text).encode("utf-8", errors="replace") + b"\n"


def without_breaks(text: str) -> str:
    """`text` with spaces for line ends and NULs, which a model may well generate."""
    return text.translate(_BREAKS)


@contextmanager
def open_input(path: Path | str) -> Iterator[tuple[BinaryIO, str]]:
    """A byte stream and its name for messages; `-` is standard input.

    Raises:
        StreamError: the file does not exist, is a directory or cannot be read.
    """
    if str(path) == "-":
        yield _standard_input(), "<stdin>"
        return
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - closed below; only opening is guarded
    except OSError as error:
        raise StreamError(f"{path}: cannot be read: {error.strerror}") from None
    with stream:
        yield stream, str(path)


def _standard_input() -> BinaryIO:
    """Standard input with a buffer of its own, never closed.

    A thread that waits for the next line holds the buffer's lock; Python, when it ends, would need that of
    `sys.stdin.buffer`, and abort.
    """
    if sys.stdin is None:
        raise StreamError("<stdin>: cannot be read: it is closed")
    try:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except (OSError, ValueError):  # replaced by something without a file descriptor
        return sys.stdin.buffer


def refuse_cut(report: LineReport) -> None:
    """For those who must not lose a part of a line.

    Raises:
        DataError: a line was cut.
    """
    if report.cut.count:
        raise DataError(
            f"{report.name}:{report.cut.first}: is longer than {MAX_LINE_BYTES} bytes; break it into lines first, "
            "as with `fold -s -w 100000`"
        )


def read_whole(path: Path, warn: Callable[[str], None] | None = None, *, uncut: bool = False) -> tuple[list[str], str]:
    """The lines and the SHA-256 of a file, which may be a pipe: it is read once. `warn` is told what was mended.

    Raises:
        DataError: it is not UTF-8; the message has line and byte offset. Or it has to be `uncut`, and is not.
        StreamError: it cannot be read.
    """
    with open_input(path) as (stream, name):
        data = stream.read()
    report = LineReport(name)
    lines = list(read_lines(BytesIO(data), report, strict=True))
    if uncut:
        refuse_cut(report)
    if warn is not None:
        for warning in report.warnings():
            warn(f"warning: {warning}")
    return lines, hashlib.sha256(data).hexdigest()
