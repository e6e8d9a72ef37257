"""Lines of bytes: every bad input that reliability promises name, and that none shifts the next line."""

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtrans.errors import DataError, StreamError
from seqtrans.io.line_report import MAX_LINE_BYTES, LineReport
from seqtrans.io.lines import one_line, open_input, read_lines


def read(data: bytes, *, strict: bool = False) -> tuple[list[str], LineReport]:
    report = LineReport("in.txt")
    return list(read_lines(io.BytesIO(data), report, strict=strict)), report


def number_of_lines(data: bytes) -> int:
    return data.count(b"\n") + (data[-1:] not in (b"", b"\n"))


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"\n", [""], id="one empty line"),
        pytest.param(b"a\n\nb\n", ["a", "", "b"], id="empty line between"),
        pytest.param(b"a\n \n", ["a", " "], id="blank line"),
        pytest.param(b"a\nlast", ["a", "last"], id="no final newline"),
        pytest.param(b"a\r\nb\r\n", ["a", "b"], id="CRLF"),
        pytest.param(b"a\r\r\n", ["a "], id="one CR of two"),
        pytest.param(b"a\rb\n", ["a b"], id="CR inside"),
        pytest.param(b"a\tb\n", ["a\tb"], id="tab is data"),
        pytest.param(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a", "\ufeffb"], id="BOM at the start only"),
        pytest.param(b"a\0b\n", ["a\ufffdb"], id="NUL"),
        pytest.param(b"\xff\xfe bad\nok\n", ["\ufffd\ufffd bad", "ok"], id="not UTF-8"),
        pytest.param("\u00a0a\u00a0\n".encode(), ["\u00a0a\u00a0"], id="no-break spaces at the ends"),
    ],
)
def test_lines_of(data: bytes, lines: list[str]) -> None:
    assert read(data)[0] == lines


@pytest.mark.parametrize("character", [*"\v\f\x1c\x1d\x1e\x85\u2028\u2029"])
def test_only_lf_ends_a_line(character: str) -> None:
    text = f"a{character}b"
    assert read(f"{text}\n{text}".encode())[0] == [text, text]


def test_warnings_name_the_first_line_and_the_number_of_each_kind() -> None:
    _, report = read(b"ok\n\xff\n\0\nok\n\xc3\n")
    assert list(report.warnings()) == [
        "in.txt:2: 2 line(s) not valid UTF-8, bad bytes replaced by U+FFFD (lines 2, 5)",
        "in.txt:3: 1 line(s) with NUL, replaced by U+FFFD",
    ]
    assert report.lines == 5
    (warning,) = read(b"\xff\n" * 10)[1].warnings()
    assert warning.endswith(" (lines 1, 2, 3, 4, 5, 6, 7, 8, ...)")


def test_clean_text_has_no_warnings() -> None:
    assert list(read(b"a\nb\n")[1].warnings()) == []


@pytest.mark.parametrize(
    ("data", "line", "offset"),
    [
        (b"\xff", 1, 0),
        (b"ab\ncd\xfe\n", 2, 5),
        (b"\xef\xbb\xbfa\xff\n", 1, 4),
        ("é\n".encode() + b"\xc3(\n", 2, 3),
        (b"x" * (MAX_LINE_BYTES + 5) + b"\n\xff\n", 2, MAX_LINE_BYTES + 6),
    ],
)
def test_strict_names_file_line_and_byte_offset(data: bytes, line: int, offset: int) -> None:
    with pytest.raises(DataError, match=rf"^in\.txt:{line}: byte 0x.. at offset {offset} is not UTF-8"):
        read(data, strict=True)


def test_a_line_too_long_is_cut_once_and_leaves_the_next_alone() -> None:
    lines, report = read(b"a\n" + b"x" * (3 * MAX_LINE_BYTES + 17) + b"\nnext\n")
    assert [len(line) for line in lines] == [1, MAX_LINE_BYTES, 4]
    assert list(report.warnings()) == [f"in.txt:2: 1 line(s) longer than {MAX_LINE_BYTES} bytes, cut there"]


@pytest.mark.parametrize("end", [b"", b"\n", b"\nnext\n"])
def test_a_line_that_just_fits_is_not_cut(end: bytes) -> None:
    lines, report = read(b"x" * MAX_LINE_BYTES + end)
    assert len(lines[0]) == MAX_LINE_BYTES
    assert len(lines) == number_of_lines(b"x" + end)
    assert list(report.warnings()) == []


def test_one_byte_too_many_in_a_last_line_without_line_feed_is_told() -> None:
    lines, report = read(b"x" * (MAX_LINE_BYTES + 1))
    assert len(lines[0]) == MAX_LINE_BYTES
    assert report.cut.count == 1
    lines, _ = read(b"x" * (MAX_LINE_BYTES - 1) + "é".encode(), strict=True)
    assert len(lines[0]) == MAX_LINE_BYTES - 1


def test_a_cut_goes_through_no_character() -> None:
    lines, report = read(("é" * MAX_LINE_BYTES + "\n").encode()[1:])  # shifted: the limit falls inside one
    assert lines[0][0] == "\ufffd"
    assert set(lines[0][1:]) == {"é"}
    assert report.invalid.count == 1
    lines, report = read(("x" + "é" * MAX_LINE_BYTES).encode())
    assert set(lines[0][1:]) == {"é"}
    assert report.invalid.count == 0


def test_a_line_of_10_mb_takes_bounded_memory() -> None:
    class Endless(io.RawIOBase):
        left = 10_000_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            size = min(len(buffer), self.left)
            self.left -= size
            buffer[:size] = b"x" * size
            return size

    tracemalloc.start()
    try:
        lines = list(read_lines(io.BufferedReader(Endless()), LineReport("in")))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(lines) == 1
    assert peak < 6 * MAX_LINE_BYTES


@given(st.lists(st.sampled_from([b"\n", b"\r", b"\0", b"\xff", b"\xe2\x80\xa8", b"\xc2\x85", b"a", b" "])))
def test_as_many_lines_as_newlines_make(parts: list[bytes]) -> None:
    data = b"".join(parts)
    assert len(read(data)[0]) == number_of_lines(data)


@given(st.binary())
def test_any_bytes_give_lines_that_can_be_written_and_read_back(data: bytes) -> None:
    lines, _ = read(data)
    assert len(lines) == number_of_lines(data)
    written = b"".join(map(one_line, lines))
    assert written.count(b"\n") == len(lines)
    again, report = read(written)
    assert [line.removeprefix("\ufeff") for line in again] == [line.removeprefix("\ufeff") for line in lines]
    assert list(report.warnings()) == []


@given(st.text(alphabet="a\n\r\0\u2028é"))
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert line.index(b"\n") == len(line) - 1
    assert b"\r" not in line
    assert b"\0" not in line


def test_one_line_survives_a_lone_surrogate() -> None:
    assert one_line("a\ud800b") == b"a?b\n"


def test_a_file_that_cannot_be_read_is_a_stream_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(StreamError, match=f"^{path}: cannot be read: "), open_input(path):
            pass


def test_open_input_gives_bytes_and_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\r\n")
    with open_input(path) as (stream, name):
        assert (stream.read(), name) == (b"a\r\n", str(path))
    assert stream.closed
