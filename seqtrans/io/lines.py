"""Lines of text as streams of bytes: N lines in, N lines out, whatever the bytes.

A line ends at LF and nowhere else. `str.splitlines`, text-mode files and `str.strip` also split at or eat
VT, FF, CR, U+001C-E, U+0085, U+00A0, U+2028 and U+2029, which in a parallel text shifts every later line.
"""

from __future__ import annotations

import codecs
import hashlib
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from seqtrans.errors import DataError, StreamError, UsageError

_logger = logging.getLogger(__name__)

MAX_LINE_BYTES = 1 << 20
"""Longer lines are cut here (1 MiB), so that one hostile line cannot take all memory."""

_MAX_NUMBERS = 8
"""A warning about several lines names the numbers of at most this many."""

_BREAKS = str.maketrans({"\n": " ", "\r": " ", "\0": " "})


@dataclass
class AffectedLines:
    """The number of lines with one kind of problem, and the line numbers (from 1) of the first of them."""

    count: int = 0
    numbers: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count one more line."""
        self.count += 1
        if self.count <= _MAX_NUMBERS:
            self.numbers.append(line)

    @property
    def first(self) -> int:
        """The number of the first such line; 0 if there is none."""
        return self.numbers[0] if self.numbers else 0

    def listing(self) -> str:
        """The line numbers for the end of a message; "" if there is only one, which the message begins with."""
        more = ", ..." if self.count > _MAX_NUMBERS else ""
        return f" (lines {', '.join(map(str, self.numbers))}{more})" if self.count > 1 else ""


@dataclass
class LineReport:
    """Problems with the lines of the stream `name`: those mended while reading, and those met by later steps."""

    name: str
    lines: int = 0
    """Lines read so far."""
    invalid: AffectedLines = field(default_factory=AffectedLines)
    """Lines that are not UTF-8."""
    nul: AffectedLines = field(default_factory=AffectedLines)
    """Lines with a NUL character."""
    cut: AffectedLines = field(default_factory=AffectedLines)
    """Lines of more than `MAX_LINE_BYTES`."""
    shortened: AffectedLines = field(default_factory=AffectedLines)
    """Lines too long for a model, which reads only their beginning."""
    length_limit: str = ""
    """How much a model reads of `shortened` lines, with the unit."""
    unsatisfied: AffectedLines = field(default_factory=AffectedLines)
    """Lines whose prefix or required phrases were ignored, in part or in full (see `Translation.incomplete`)."""
    untranslated: AffectedLines = field(default_factory=AffectedLines)
    """Lines that have no translation."""

    def refuse_long_lines(self) -> None:
        """Refuse a text of which a part would be ignored.

        Raises:
            DataError: a line was longer than `MAX_LINE_BYTES`.
        """
        if self.cut.count:
            raise DataError(
                f"{self.name}:{self.cut.first}: is longer than {MAX_LINE_BYTES} bytes; break it into lines first, "
                "as with `fold -s -w 100000`"
            )

    def log_warnings(self) -> None:
        """Log each of the `warnings`."""
        for warning in self.warnings():
            _logger.warning(warning)

    def warnings(self) -> Iterator[str]:
        """One sentence for each kind of problem, with the number of lines and the first of them."""
        # where the same lines were cut and are too long for the model, they are reported once, as too long for it
        cut = AffectedLines() if self.cut == self.shortened else self.cut
        kinds = (
            (self.invalid, "not valid UTF-8, bad bytes replaced by U+FFFD"),
            (self.nul, "with NUL, replaced by U+FFFD"),
            (self.shortened, f"longer than {self.length_limit}, the rest left out"),
            (
                self.unsatisfied,
                "whose prefix or phrases were ignored, in part or in full: they have characters or words that the "
                "model does not know, the phrases have more than 500 subwords, or the source is blank",
            ),
            (self.untranslated, "without a translation (no hypothesis could end); the output is blank"),
            (cut, f"longer than {MAX_LINE_BYTES} bytes, cut there"),
        )
        for affected, problem in kinds:
            if affected.count:
                yield f"{self.name}:{affected.first}: {affected.count} line(s) {problem}{affected.listing()}"


def read_lines(stream: BinaryIO, report: LineReport, *, strict: bool = False) -> Iterator[str]:
    """Decode UTF-8 lines; LF or CR LF at a line's end and a BOM at the stream's start are removed.

    A line of more than `MAX_LINE_BYTES` is cut. NULs and bytes that are not UTF-8 become U+FFFD. `report` counts the
    lines with one of these problems. A CR elsewhere becomes a space, which is not counted.

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
    """Read the rest of a line; return the number of its bytes without LF, and of its LFs: 1, or 0 in the last line."""
    skipped = 0
    while rest := stream.readline(MAX_LINE_BYTES):
        if rest.endswith(b"\n"):
            return skipped + len(rest) - 1, 1
        skipped += len(rest)
    return skipped, 0


def _whole_characters(raw: bytes) -> bytes:
    """Remove the first bytes of a character whose other bytes were cut off."""
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
    """`text` with spaces for line ends and NULs, which a model can generate."""
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


def list_of_lines(lines: Iterable[str]) -> list[str]:
    """The lines that a Python program passes, as a list or an open text file, each without its line end.

    Raises:
        UsageError: they are one string, whose characters would pass for lines, or something else than strings.
    """
    if isinstance(lines, str):
        raise UsageError("pass a list of lines, not one string")
    stripped = []
    for line in lines:
        if not isinstance(line, str):
            raise UsageError(f"a line is a string, not {type(line).__name__}")
        stripped.append(line.removesuffix("\n").removesuffix("\r"))
    return stripped


def read_whole(path: Path, *, refuse_long_lines: bool = False) -> tuple[list[str], str]:
    """The lines of a file and its SHA-256. The file is read only once, so it may be a pipe. Logs what was mended.

    Raises:
        DataError: it is not UTF-8 (the message has line and byte offset); with `refuse_long_lines`, also a line of more
            than `MAX_LINE_BYTES`.
        StreamError: it cannot be read.
    """
    with open_input(path) as (stream, name):
        data = stream.read()
    report = LineReport(name)
    lines = list(read_lines(BytesIO(data), report, strict=True))
    if refuse_long_lines:
        report.refuse_long_lines()
    report.log_warnings()
    return lines, hashlib.sha256(data).hexdigest()
