"""`seqtrans tokenize` as a user calls it: filters of bytes, errors of one line, exit codes."""

import os
import signal
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest

from seqtrans.cli import tokenize
from seqtrans.text.subword_training import NORMALIZATIONS
from seqtrans.text.subwords import SUBWORD_TYPES, SubwordModel, SubwordType
from tests.conftest import RunSeqtrans, dev_of, seqtrans_command, seqtrans_environment
from tests.warm import WarmProcess

needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


class Filter(subprocess.Popen[bytes]):
    """A process with pipes at its ends, but for those that are files."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]


StartFilter = Callable[..., Filter]


@pytest.fixture
def filter_process(subword_model: Path, warm_process: WarmProcess) -> Iterator[StartFilter]:
    """Start encode or decode with pipes; both ends are closed and the process gone at the end."""
    processes: list[Filter] = []

    def start(command: str = "encode", **options: Any) -> Filter:
        process = Filter(
            warm_process.words("tokenize", command, "-m", subword_model),
            env=seqtrans_environment(),
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def one_line_of(stderr: bytes) -> str:
    """The only line on stderr, which names the program and is no traceback."""
    text = stderr.decode()
    assert text.startswith("seqtrans: ")
    assert text.count("\n") == 1
    return text


def test_the_choices_are_those_of_the_library() -> None:
    assert typing.get_args(tokenize.Type) == SUBWORD_TYPES
    assert typing.get_args(tokenize.Normalization) == NORMALIZATIONS


def test_the_command_line_starts_without_heavy_imports() -> None:
    script = "import sys, seqtrans.cli.tokenize; print({'torch', 'numpy', 'sentencepiece'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, env=seqtrans_environment(), check=True)
    assert run.stdout == b"set()\n"


def test_a_filter_of_a_subword_model_does_not_import_torch(subword_model: Path) -> None:
    """It takes seconds; only the subwords of a translator need it."""
    command = [sys.executable, "-X", "importtime", "-m", "seqtrans", "tokenize", "encode", "-m", str(subword_model)]
    run = subprocess.run(command, input=b"one\n", capture_output=True, env=seqtrans_environment(), check=True)
    assert run.stdout.replace(b" ", b"") == "▁one\n".encode()
    imported = {line.rpartition("|")[2].strip() for line in run.stderr.decode().splitlines()}
    assert "sentencepiece" in imported
    assert "torch" not in imported


@pytest.mark.parametrize("subword_type", SUBWORD_TYPES)
def test_learn_encode_decode_gives_the_text_back(
    run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path], tmp_path: Path, subword_type: SubwordType
) -> None:
    path = tmp_path / "subwords.model"
    text = parallel_text[1].read_bytes() + "unbekannt: ʰ 🙂 \u2028 <unk>\n\nlast".encode()
    learned = run_seqtrans("tokenize", "learn", "--type", subword_type, "--vocab-size", 20, "-o", path, input=text)
    assert (learned.returncode, learned.stdout) == (0, b"")
    assert f"{path}: {subword_type}, ".encode() in learned.stderr

    encoded = run_seqtrans("tokenize", "encode", "-m", path, input=text)
    decoded = run_seqtrans("tokenize", "decode", "-m", path, input=encoded.stdout)
    assert (encoded.returncode, encoded.stderr) == (decoded.returncode, decoded.stderr) == (0, b"")
    assert decoded.stdout == text + b"\n"


def test_learning_from_files_and_from_stdin_give_the_same_model(
    run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path], subword_model: Path
) -> None:
    text = b"".join(path.read_bytes() for path in parallel_text)
    for files in ([], ["-"]):
        run = run_seqtrans("tokenize", "learn", "--vocab-size", 60, *files, "-o", "-", input=text)
        assert (run.returncode, run.stderr) == (0, b"")
        assert run.stdout == subword_model.read_bytes()


def test_normalization_and_byte_fallback(
    run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "subwords.model"
    options = ["--normalization", "nfkc", "--byte-fallback", "--vocab-size", 300]
    assert run_seqtrans("tokenize", "learn", *options, "-o", path, parallel_text[0]).returncode == 0
    encoded = run_seqtrans("tokenize", "encode", "-m", path, input="ﬁ 🙂".encode())
    assert b"<0xF0>" in encoded.stdout
    assert run_seqtrans("tokenize", "decode", "-m", path, input=encoded.stdout).stdout == "fi 🙂\n".encode()


def test_a_size_that_does_not_fit_is_clamped_and_told(
    run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "subwords.model"
    for size, message in ((100_000, b"more than this text gives"), (5, b"too small for the characters")):
        run = run_seqtrans("tokenize", "learn", "--vocab-size", size, "-o", path, parallel_text[0])
        assert run.returncode == 0
        assert message in run.stderr
    assert SubwordModel.load(path).size < 30


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        pytest.param(b"", 0, id="nothing"),
        pytest.param(b"\n", 1, id="empty line"),
        pytest.param(b"   \n\n\t\n", 3, id="blank lines"),
        pytest.param(b"one\r\ntwo\r\n", 2, id="CRLF"),
        pytest.param(b"one\rtwo\n", 1, id="CR inside"),
        pytest.param("a\u2028b\u2029c\x85d\ve\ff\x1cg\x1dh\x1ei\n".encode(), 1, id="other separators"),
        pytest.param(b"one\0two\nthree", 2, id="NUL"),
        pytest.param(b"\xef\xbb\xbfone\n", 1, id="BOM"),
        pytest.param(b"one\n\xff\xfe bad\r\n\xc3", 3, id="not UTF-8"),
        pytest.param(b"\xed\xa0\x80 surrogate\n", 1, id="surrogate"),
        pytest.param(b"x" * 3_000_000 + b"\nnext\n", 2, id="too long"),
        pytest.param(bytes(range(256)) * 4, 4 + 1, id="all bytes"),
    ],
)
def test_as_many_lines_out_as_in(run_seqtrans: RunSeqtrans, subword_model: Path, data: bytes, lines: int) -> None:
    check_filter(run_seqtrans("tokenize", "encode", "-m", subword_model, input=data), lines)


@pytest.mark.parametrize(("data", "lines"), [(b"", 0), (bytes(range(256)) * 4, 5), (b"x" * 3_000_000, 1)])
def test_as_many_texts_out_as_lines_of_subwords_in(
    run_seqtrans: RunSeqtrans, subword_model: Path, data: bytes, lines: int
) -> None:
    check_filter(run_seqtrans("tokenize", "decode", "-m", subword_model, input=data), lines)


def check_filter(run: "subprocess.CompletedProcess[bytes]", lines: int) -> None:
    assert run.returncode == 0
    assert run.stdout.count(b"\n") == lines
    assert run.stdout[-1:] in (b"", b"\n")
    assert b"\r" not in run.stdout
    assert b"\0" not in run.stdout
    run.stdout.decode()
    assert b"Traceback" not in run.stderr


def test_mended_lines_are_told_with_their_number(run_seqtrans: RunSeqtrans, subword_model: Path) -> None:
    run = run_seqtrans("tokenize", "encode", "-m", subword_model, input=b"ok\n\xff\nok\n\xff\nx\0y\n")
    assert run.stderr.decode().splitlines() == [
        "seqtrans: warning: <stdin>:2: 2 line(s) not valid UTF-8, bad bytes replaced by U+FFFD (lines 2, 4)",
        "seqtrans: warning: <stdin>:5: 1 line(s) with NUL, replaced by U+FFFD",
        "seqtrans: warning: <stdin>:1: 3 line(s) with characters that no subword spells, such as 'k', 'y' "
        "(lines 1, 3, 5)",
    ]


def test_blank_lines_and_the_mark_at_the_start_leave_nothing(run_seqtrans: RunSeqtrans, subword_model: Path) -> None:
    plain = run_seqtrans("tokenize", "encode", "-m", subword_model, input=b"one\n\n")
    assert (
        run_seqtrans("tokenize", "encode", "-m", subword_model, input=b"\xef\xbb\xbfone\r\n  \n").stdout == plain.stdout
    )
    assert plain.stdout.endswith(b"\n\n")


def test_the_locale_changes_nothing(run_seqtrans: RunSeqtrans, subword_model: Path) -> None:
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    text = "fünf ʰ\n".encode()
    encoded = run_seqtrans("tokenize", "encode", "-m", subword_model, input=text, env=environment, anew=True)
    assert encoded.stdout.replace(b" ", b"") == "▁fünf▁ʰ\n".encode()
    decoded = run_seqtrans("tokenize", "decode", "-m", subword_model, input=encoded.stdout, env=environment, anew=True)
    assert decoded.stdout == text


@pytest.mark.parametrize("command", ["encode", "decode"])
def test_each_line_is_answered_before_the_next_is_sent(filter_process: StartFilter, command: str) -> None:
    process = filter_process(command)
    for word in (b"one", b"two", b""):
        process.stdin.write(word + b"\n")
        process.stdin.flush()
        assert process.stdout.readline().replace(b" ", b"").decode().strip("▁\n") == word.decode()
    process.stdin.close()
    assert process.wait(10) == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_filter_after_its_finished_lines(
    filter_process: StartFilter, number: signal.Signals, code: int
) -> None:
    process = filter_process()
    process.stdin.write(b"one\n")
    process.stdin.flush()
    assert process.stdout.readline() != b""
    process.send_signal(number)
    assert process.wait(10) == code
    assert process.stdout.read() == b""
    assert b"Traceback" not in process.stderr.read()


def test_a_reader_that_leaves_ends_the_filter_with_141(filter_process: StartFilter, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"one two three\n" * 100_000)
    with (tmp_path / "text").open("rb") as text:
        process = filter_process(stdin=text)
    assert process.stdout.readline() != b""
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(10) == 141


@needs_dev_full
@pytest.mark.parametrize("lines", [1, 50_000])
def test_a_full_disk_is_74(filter_process: StartFilter, tmp_path: Path, lines: int) -> None:
    (tmp_path / "text").write_bytes(b"one two three\n" * lines)
    with (tmp_path / "text").open("rb") as text, Path("/dev/full").open("wb") as full:
        process = filter_process(stdin=text, stdout=full)
        assert process.wait(30) == 74
    assert "No space left" in one_line_of(process.stderr.read())


@needs_dev_full
def test_a_model_that_does_not_fit_on_the_disk_is_74(
    run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path]
) -> None:
    run = run_seqtrans("tokenize", "learn", "-o", "/dev/full", parallel_text[0])
    assert run.returncode == 74
    assert "No space left" in run.stderr.decode()


def test_learning_refuses_what_is_not_utf8_and_writes_nothing(run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    text, path = tmp_path / "in.txt", tmp_path / "subwords.model"
    text.write_bytes(b"fine\nnot \xfe\n")
    run = run_seqtrans("tokenize", "learn", "-o", path, text)
    assert run.returncode == 65
    assert f"{text}:2: byte 0xfe at offset 9 is not UTF-8" in one_line_of(run.stderr)
    assert list(tmp_path.iterdir()) == [text]


def test_a_text_is_not_overwritten_by_its_model(run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("one two\n")
    run = run_seqtrans("tokenize", "learn", "-o", text, text)
    assert run.returncode == 2
    assert "would be overwritten" in one_line_of(run.stderr)
    assert text.read_text() == "one two\n"


def test_line_ends_and_nul_spelled_in_bytes_become_spaces(
    run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path], tmp_path: Path
) -> None:
    model = tmp_path / "m"
    flags = ["--byte-fallback", "--vocab-size", 300]
    assert run_seqtrans("tokenize", "learn", "-o", model, *flags, *parallel_text).returncode == 0
    run = run_seqtrans("tokenize", "decode", "-m", model, input=b"<0x41> <0x0A> <0x42> <0x0D> <0x43> <0x00> <0x44>\n")
    assert run.stdout == b"A B C D\n"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["learn", "-o", "{tmp}/m"], 65, "no text"),
        (["learn", "-o", "{tmp}/m", "{tmp}/missing"], 74, "missing: cannot be read: No such file"),
        (["learn", "-o", "{tmp}/m", "{tmp}"], 74, "cannot be read: Is a directory"),
        (["learn", "-o", "{tmp}/missing/m"], 74, "cannot be written: there is no folder"),
        (["learn", "-o", "{tmp}"], 74, "cannot be written: Is a directory"),
        (["learn", "-o", "{tmp}/m", "--type", "syllable"], 2, "syllable"),
        (["learn", "-o", "{tmp}/m", "--type", "char", "--byte-fallback"], 2, "byte fallback"),
        (["learn", "-o", "{tmp}/m", "--vocab-size", "3"], 2, "vocabulary size 3"),
        (["learn", "-o", "{tmp}/m", "--vocab-size", "many"], 2, "--vocab-size"),
        (["learn"], 2, "--output"),
        (["encode"], 2, "--model"),
        (["encode", "-m", "{tmp}"], 65, "not a file"),
        (["encode", "-m", "{tmp}/missing"], 74, "cannot be read: No such file"),
        (["decode", "-m", "/dev/null"], 65, "not a file"),
        (["encode", "-m", __file__], 65, "is a text, not a model; a subword model or a trained model is expected here"),
    ],
)
def test_failures_are_one_line_and_have_their_code(
    run_seqtrans: RunSeqtrans, tmp_path: Path, args: list[str], code: int, message: str
) -> None:
    run = run_seqtrans("tokenize", *(arg.replace("{tmp}", str(tmp_path)) for arg in args))
    assert run.returncode == code
    assert run.stdout == b""
    assert message in one_line_of(run.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_model_is_65(run_seqtrans: RunSeqtrans, subword_model: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.model"
    damaged.write_bytes(subword_model.read_bytes()[:300])
    run = run_seqtrans("tokenize", "encode", "-m", damaged, input=b"one\n")
    assert run.returncode == 65
    assert str(damaged) in one_line_of(run.stderr)


def test_sigint_ends_learning_at_once(parallel_text: tuple[Path, Path], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = seqtrans_command("tokenize", "learn", "-o", tmp_path / "m", pipe)
    process = Filter(command, env=seqtrans_environment(), stderr=subprocess.PIPE)
    with pipe.open("wb") as writer:  # opened as soon as the other side reads
        writer.write(parallel_text[0].read_bytes())
        writer.flush()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert list(tmp_path.iterdir()) == [pipe]


def test_the_subwords_of_a_translator(run_seqtrans: RunSeqtrans, tiny_model: Path, subword_model: Path) -> None:
    for flags, text in (([], b"vier neun"), (["--side", "target"], b"vier neun"), (["--side", "source"], b"four nine")):
        pieces = run_seqtrans("tokenize", "encode", "-m", tiny_model, *flags, input=text + b"\n")
        assert pieces.stderr == b""  # both sides have the same
        assert pieces.stdout.decode().split() == [f"\u2581{word}" for word in text.decode().split()]
        assert run_seqtrans("tokenize", "decode", "-m", tiny_model, *flags, input=pieces.stdout).stdout == text + b"\n"
    run = run_seqtrans("tokenize", "encode", "-m", subword_model, "--side", "source", input=b"a\n")
    assert run.returncode == 2
    assert "leave out --side" in run.stderr.decode()


def test_the_side_that_nobody_named_is_told_where_sides_differ(
    run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path], tmp_path: Path
) -> None:
    text = dev_of(parallel_text)
    sides = [tmp_path / "source.model", tmp_path / "target.model"]
    for path, side in zip(sides, text, strict=True):
        assert run_seqtrans("tokenize", "learn", "--type", "char", "-o", path, side).returncode == 0
    model = tmp_path / "m.safetensors"
    run = run_seqtrans(
        "train", "--train", *text, "--dev", *text, "-o", model, "--source-subwords", sides[0],
        "--target-subwords", sides[1], "--max-steps", 1, "--set", "hidden=4", "embedding=4",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    said = "the subwords of its target side; those of its source side: --side source"
    for flags, expected in (([], f"seqtrans: {model}: {said}\n"), (["--side", "target"], "")):
        assert run_seqtrans("tokenize", "encode", "-m", model, *flags, input=b"eins\n").stderr.decode() == expected
