"""Lines of text as streams of bytes: N lines in, N lines out, whatever the bytes.

A line ends at LF and nowhere else. `str.splitlines`, text-mode files and `str.strip` also split at or eat
VT, FF, CR, U+001C-E, U+0085, U+00A0, U+2028 and U+2029, which in a parallel text shifts every later line.
"""

from __future__ import annotations

import codecs
import hashlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import BinaryIO

from seqtrans.errors import DataError, StreamError, UsageError
from seqtrans.io.compression import decompressed
from seqtrans.io.content import check_text
from seqtrans.io.line_report import MAX_LINE_BYTES, LineReport

_BREAKS = str.maketrans({"\n": " ", "\r": " ", "\0": " "})


def read_lines(stream: BinaryIO, report: LineReport, *, strict: bool = False) -> Iterator[str]:
    """Decode UTF-8 lines; LF or CR LF at a line's end and a BOM at the stream's start are removed.

    A line of more than `MAX_LINE_BYTES` is cut. NULs and bytes that are not UTF-8 become U+FFFD. `report` counts the
    lines with one of these problems. A CR elsewhere becomes a space, which is counted too.

    Raises:
        DataError: with `strict`, at the first byte that is not UTF-8, naming file, line and byte offset, and for a text
            of a `TextForm`; a compressed stream is damaged.
    """
    offset = 0
    while raw := stream.readline(MAX_LINE_BYTES):
        report.lines += 1
        start, offset = offset, offset + len(raw)
        ends_in_lf = raw.endswith(b"\n")
        if not ends_in_lf and len(raw) == MAX_LINE_BYTES:
            rest, end = _skip_line(stream)
            ends_in_lf = end > 0
            offset += rest + end
            if rest:
                report.cut.add(report.lines)
                raw = _whole_characters(raw)
        if report.lines == 1 and raw.startswith(codecs.BOM_UTF8):
            raw, start = raw[len(codecs.BOM_UTF8) :], len(codecs.BOM_UTF8)
        if report.lines == 1:
            report.begin_with(raw, ends_in_lf=ends_in_lf)
            if strict:
                report.refuse_form()
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
    if "\r" in line:
        report.inner_cr.add(report.lines)
        line = line.replace("\r", " ")
    return line


def one_line(text: str) -> bytes:
    """`text` as one output line: line ends and NULs inside become spaces, one LF at the end."""
    return without_breaks(text).encode("utf-8", errors="replace") + b"\n"


def without_breaks(text: str) -> str:
    """`text` with spaces for line ends and NULs, which a model can generate."""
    return text.translate(_BREAKS)


@contextmanager
def open_input(path: Path | str) -> Iterator[tuple[BinaryIO, str]]:
    """A byte stream and its name for messages; `-` is standard input. What gzip or zstd compressed is decompressed.

    Raises:
        StreamError: the file does not exist, is a directory or cannot be read.
        DataError: it is a model.
    """
    if str(path) == "-":
        yield decompressed(_standard_input(), "<stdin>"), "<stdin>"
        return
    check_text(path)
    try:
        stream = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed below; only opening is guarded
    except OSError as error:
        raise StreamError(f"{path}: cannot be read: {error.strerror}") from None
    with stream, decompressed(stream, str(path)) as text:
        yield text, str(path)


def _standard_input() -> RawIOBase | BinaryIO:
    """Standard input without its buffer, never closed.

    A thread that waits for the next line would hold the buffer's lock; Python, when it ends, would need that of
    `sys.stdin.buffer`, and abort.
    """
    if sys.stdin is None:
        raise StreamError("<stdin>: cannot be read: it is closed")
    try:
        return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
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
    """The lines of a file and the SHA-256 of its text, decompressed. It is read once, so it may be a pipe.

    Logs what was mended.

    Raises:
        DataError: it is a model, it is not UTF-8 (the message has line and byte offset), it has a `TextForm`, its
            compression is damaged; or, with `refuse_long_lines`, a line has more than `MAX_LINE_BYTES`.
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
