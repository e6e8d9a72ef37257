"""The form of files: compressed, lines that end in CR alone, a BOM, blank lines and columns too many."""

from __future__ import annotations

import gzip
import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import RunSeqtrans, seqtrans_environment
from tests.warm import WarmProcess

TEXT = "one two three\nfour five\nsix\n"


def said(run: subprocess.CompletedProcess[bytes], code: int = 0) -> str:
    text = run.stderr.decode()
    assert run.returncode == code, text
    return text


def test_gzip_is_read_whatever_its_name(run_seqtrans: RunSeqtrans, subword_model: Path) -> None:
    plain = run_seqtrans("tokenize", "encode", "-m", subword_model, input=TEXT.encode())
    members = gzip.compress(TEXT.encode()[:20]) + gzip.compress(TEXT.encode()[20:]) + b"\0" * 1000
    run = run_seqtrans("tokenize", "encode", "-m", subword_model, input=members)
    assert said(run) == ""
    assert run.stdout == plain.stdout


def test_gzip_is_read_by_a_training_and_is_the_same_text(
    run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path], tiny_config: Path, tmp_path: Path
) -> None:
    """So that `--resume` does not take it for another one."""
    packed = [tmp_path / path.name for path in parallel_text]
    for path, text in zip(packed, parallel_text, strict=True):
        path.write_bytes(gzip.compress(text.read_bytes()))
    model = tmp_path / "model.safetensors"
    flags = ["-o", model, "--config", tiny_config, "--threads", 1, "--max-steps"]
    said(run_seqtrans("train", "--train", *packed, "--dev", *packed, *flags, 1))
    said(run_seqtrans("train", "--train", *parallel_text, "--dev", *parallel_text, *flags, 2, "--resume"))


@pytest.mark.parametrize("end", [-1, -9, 15])
def test_gzip_cut_short(run_seqtrans: RunSeqtrans, tmp_path: Path, end: int) -> None:
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(TEXT.encode() * 100)[:end])
    message = said(run_seqtrans("score", path, "-r", path), 65)
    assert message == f"seqtrans: {path}: is damaged: what gzip compressed ends too early\n"


def test_gzip_with_a_bit_turned(run_seqtrans: RunSeqtrans, subword_model: Path) -> None:
    data = bytearray(gzip.compress(TEXT.encode()))
    data[-6] ^= 1  # in the checksum
    message = said(run_seqtrans("tokenize", "encode", "-m", subword_model, input=bytes(data)), 65)
    assert message.startswith("seqtrans: <stdin>: is damaged: what gzip compressed cannot be read")
    assert message.count("\n") == 1


def test_garbage_after_gzip(run_seqtrans: RunSeqtrans, subword_model: Path) -> None:
    data = gzip.compress(TEXT.encode()) + b"garbage"
    assert "is damaged" in said(run_seqtrans("tokenize", "encode", "-m", subword_model, input=data), 65)


@pytest.mark.skipif(importlib.util.find_spec("zstandard") is not None, reason="zstandard is installed")
def test_zstd_says_what_to_install(run_seqtrans: RunSeqtrans, subword_model: Path) -> None:
    message = said(run_seqtrans("tokenize", "encode", "-m", subword_model, input=b"\x28\xb5\x2f\xfd" + b"x" * 50), 65)
    assert message == "seqtrans: <stdin>: is compressed by zstd: run `pip install zstandard`, or use zstdcat\n"


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_line_in_a_pipe_is_answered_before_the_next_is_sent(
    subword_model: Path, warm_process: WarmProcess, *, is_packed: bool
) -> None:
    """Also a line of one byte, and one that begins as a compressed text does."""
    process = subprocess.Popen(
        warm_process.words("tokenize", "encode", "-m", subword_model),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=seqtrans_environment(),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for line in (b"\n", b"(\n", b"one\n"):
            data = gzip.compress(line) if is_packed else line
            for byte in range(len(data)):  # byte by byte, as they may arrive
                os.write(process.stdin.fileno(), data[byte : byte + 1])
            answer = process.stdout.readline()
            assert answer.decode().replace("\u2581", "").replace(" ", "").encode() == line
        process.stdin.close()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stdout.close()


CR_ALONE = b"Go.\tGeh.\rHi.\tHallo!\r"


@pytest.mark.parametrize("text", [CR_ALONE, CR_ALONE[:-1], b"word one \r" * 200_000], ids=["whole", "no end", "long"])
def test_lines_that_end_in_cr_alone_are_refused(run_seqtrans: RunSeqtrans, tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "cr.tsv"
    path.write_bytes(text)
    for command in (
        ["train", "--train", path, "--dev", path, "-o", tmp_path / "m.safetensors", "--max-steps", 1],
        ["score", path, "-r", path],
        ["tokenize", "learn", path, "-o", tmp_path / "m.model"],
    ):
        message = said(run_seqtrans(*command), 65)
        assert message.splitlines()[-1] == (
            f"seqtrans: {path}: its lines seem to end in CR alone, not in LF; convert it: tr '\\r' '\\n' < {path} > NEW"
        )


@pytest.mark.parametrize(("encoding", "lines"), [("utf-16-le", 3), ("utf-16-be", 2)])  # 0x0a ends a line
def test_utf_16_is_named(
    run_seqtrans: RunSeqtrans, tmp_path: Path, subword_model: Path, encoding: str, lines: int
) -> None:
    path = tmp_path / "notepad.tsv"
    path.write_bytes("\ufeffone\teins\r\ntwo\tzwei\r\n".encode(encoding))
    problem = "it is UTF-16, not UTF-8; convert it: iconv -f utf-16 -t utf-8"
    for command in (
        ["train", "--train", path, "--dev", path, "-o", tmp_path / "m.safetensors", "--max-steps", 1],
        ["tokenize", "learn", path, "-o", tmp_path / "m.model"],
    ):
        assert said(run_seqtrans(*command), 65).splitlines()[-1] == f"seqtrans: {path}: {problem} < {path} > NEW"
    run = run_seqtrans("tokenize", "encode", "-m", subword_model, input=path.read_bytes())
    assert said(run).startswith(f"seqtrans: warning: <stdin>: {problem} < FILE > NEW\n")
    assert "not valid UTF-8" not in said(run)  # told once
    assert run.stdout.count(b"\n") == lines


def test_a_single_line_may_end_in_cr(run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"one line\r")
    said(run_seqtrans("score", path, "-r", path))


def test_a_filter_counts_cr_inside_lines(run_seqtrans: RunSeqtrans, subword_model: Path) -> None:
    run = run_seqtrans("tokenize", "encode", "-m", subword_model, input=b"one\rtwo\nsix\r\nsix\rone\n")
    warning = "<stdin>:1: 2 line(s) with CR before the end, replaced by spaces (lines 1, 3)"
    assert said(run) == f"seqtrans: warning: {warning}\n"


def test_a_settings_file_with_a_bom(run_seqtrans: RunSeqtrans, tmp_path: Path, tiny_model: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbf[search]\r\nbeam = 1\r\n")
    said(run_seqtrans("translate", "-m", tiny_model, "--config", path, input=b"one\n"))


@pytest.mark.parametrize(("text", "line"), [(b"Go.\tGeh.\n\nHi.\tHallo!\n", 2), (b"Go.\tGeh.\nHi.\tHallo!\n\n", 3)])
def test_a_blank_line_of_a_tsv_is_dropped_and_counted(
    run_seqtrans: RunSeqtrans, tmp_path: Path, text: bytes, line: int
) -> None:
    path, settings = tmp_path / "pairs.tsv", tmp_path / "small.toml"
    path.write_bytes(text)
    settings.write_text("[model]\nembedding = 8\nhidden = 16\n", "utf-8")
    run = run_seqtrans(
        "train", "--train", path, "--dev", path, "-o", tmp_path / "m.safetensors", "--config", settings,
        "--max-steps", 1, "--threads", 1,
    )  # fmt: skip
    assert f"{path}: 3 pairs, 2 kept, 1 dropped: empty source (line {line})\n" in said(run)


def test_three_columns_are_told_how_to_become_two(run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    path = tmp_path / "tatoeba.txt"
    path.write_bytes(b"Go.\tGeh.\tCC-BY 2.0 #1\nHi.\tHallo!\tCC-BY 2.0 #2\n")
    run = run_seqtrans("train", "--train", path, "--dev", path, "-o", tmp_path / "m.safetensors", "--max-steps", 1)
    assert said(run, 65).endswith("`cut -f 1,2` leaves the first two columns\n")


def test_two_tsv_files_are_no_source_and_target(run_seqtrans: RunSeqtrans, tiny_config: Path, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.tsv", "b.tsv")]
    for path in paths:
        path.write_text("one\teins\ntwo\tzwei\n" * 5, "utf-8")
    flags = ["-o", tmp_path / "m.safetensors", "--config", tiny_config, "--max-steps", 1]
    message = said(run_seqtrans("train", "--train", *paths, "--dev", *paths, *flags))
    assert "`cat`" in message or "cat " in message
    assert message.count("SOURCE TAB TARGET") >= 1


def test_a_model_is_no_training_text(
    run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path], tiny_model: Path, tmp_path: Path
) -> None:
    flags = ["--dev", *parallel_text, "-o", tmp_path / "m.safetensors"]
    message = said(run_seqtrans("train", "--train", tiny_model, parallel_text[1], *flags), 65)
    assert f"{tiny_model}: is a model, not a text" in message
