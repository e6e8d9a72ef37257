"""The texts that filters read: named as files or not, mistaken for models, typed at a terminal."""

from __future__ import annotations

import json
import os
import pty
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunSeqtrans, seqtrans_command, seqtrans_environment
from tests.warm import WarmProcess

Text = tuple[Path, Path]


@pytest.fixture(scope="module")
def subwords(run_seqtrans: RunSeqtrans, parallel_text: Text, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("subwords") / "words.model"
    assert run_seqtrans("tokenize", "learn", "--type", "word", "-o", path, *parallel_text).returncode == 0
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.en").write_bytes(b"one two\n\xff three\nfour")  # no LF at the end
    (tmp_path / "b.en").write_bytes(b"\xef\xbb\xbffive\n\xff six\n")
    return tmp_path


def good(run: Any) -> bytes:
    assert run.returncode == 0, run.stderr.decode()
    output: bytes = run.stdout
    return output


def one_line(run: Any, code: int) -> str:
    assert run.returncode == code, run.stderr.decode()
    text: str = run.stderr.decode()
    assert text.startswith("seqtrans: ")
    assert text.count("\n") == 1
    return text


@pytest.mark.parametrize("order", ["after", "before", "output between"])
def test_files_are_translated_one_after_the_other(
    order: str, tiny_model: Path, folder: Path, run_seqtrans: RunSeqtrans
) -> None:
    together = b"one two\n\xff three\nfour\nfive\n\xff six\n"
    expected = good(run_seqtrans("translate", "-m", tiny_model, input=together))
    words = {
        "after": ["-m", tiny_model, "a.en", "-"],
        "before": ["a.en", "-", "-m", tiny_model],
        "output between": ["-m", tiny_model, "-o", "out", "a.en", "-"],
    }
    run = run_seqtrans("translate", *words[order], input=b"five\n\xff six\n", cwd=folder)
    assert good(run) + ((folder / "out").read_bytes() if order == "output between" else b"") == expected
    assert expected.count(b"\n") == 5
    assert [line for line in run.stderr.decode().splitlines() if "UTF-8" in line] == [
        "seqtrans: warning: a.en:2: 1 line(s) not valid UTF-8, bad bytes replaced by U+FFFD",
        "seqtrans: warning: <stdin>:2: 1 line(s) not valid UTF-8, bad bytes replaced by U+FFFD",
    ]


def test_the_lines_of_several_files_have_numbers_that_go_on(
    tiny_model: Path, folder: Path, run_seqtrans: RunSeqtrans
) -> None:
    (folder / "b.en").write_bytes(b"five\n" + b"one " * 501 + b"\n")
    run = run_seqtrans(
        "translate", "-m", tiny_model, "a.en", "b.en", "--format", "jsonl", "--report", "report", "--beam", 1,
        cwd=folder,
    )  # fmt: skip
    assert [json.loads(line)["line"] for line in good(run).splitlines()] == [0, 1, 2, 3, 4]
    records = (folder / "report").read_text("utf-8").splitlines()
    assert sorted({json.loads(line)["line"] for line in records}) == [0, 1, 2, 3, 4]
    assert "seqtrans: warning: b.en:2: 1 line(s) longer than 500 subwords" in run.stderr.decode()


def test_a_word_after_the_models_is_a_model_unless_it_is_a_text(
    tiny_model: Path, folder: Path, run_seqtrans: RunSeqtrans
) -> None:
    """A damaged model is an error, and never translated."""
    shutil.copy(tiny_model, folder / "m.bin")
    ensemble = run_seqtrans("translate", "-m", tiny_model, "m.bin", "a.en", cwd=folder)
    assert good(ensemble).count(b"\n") == 3
    for length in (4, 100, 5000):
        (folder / "cut.bin").write_bytes(tiny_model.read_bytes()[:length])
        cut = run_seqtrans("translate", "-m", tiny_model, "cut.bin", "a.en", cwd=folder)
        assert "cut.bin: is not a seqtrans model, or the file was cut short" in one_line(cut, 65)
    (folder / "empty").touch()
    assert good(run_seqtrans("translate", "-m", tiny_model, "empty", "a.en", cwd=folder)).count(b"\n") == 3
    missing = run_seqtrans("translate", "-m", tiny_model, "m.bim", "a.en", cwd=folder)
    assert "m.bim: cannot be read: No such file or directory; did you mean 'm.bin'?" in one_line(missing, 74)


def test_an_output_appears_whole_or_not_at_all(tiny_model: Path, folder: Path, run_seqtrans: RunSeqtrans) -> None:
    before = sorted(folder.iterdir())
    for words, code, message in (
        (["a.en", "missing.en", "-o", "out"], 74, "missing.en: cannot be read: No such file"),
        (["a.en", str(folder), "-o", "out"], 74, "cannot be read: Is a directory"),
        (["a.en", "-o", "a.en"], 2, "a.en: is read too, and would be overwritten"),
        (["a.en", "-o", "out", "--report", "out"], 2, "name another file"),
        (["-", "-", "-o", "out"], 2, "can be read only once"),
        ([str(tiny_model), "-o", "out"], 65, "is a model, not a text"),
    ):
        run = run_seqtrans("translate", *words, "-m", tiny_model, cwd=folder)
        assert message in one_line(run, code)
        assert run.stdout == b""
        assert sorted(folder.iterdir()) == before
    assert (folder / "a.en").read_bytes().startswith(b"one two\n")


def test_the_output_must_not_be_the_file_at_standard_input(
    subwords: Path, folder: Path, warm_process: WarmProcess
) -> None:
    command = warm_process.words("tokenize", "encode", "-m", subwords, "-o", folder / "a.en")
    with (folder / "a.en").open("rb") as text:
        run = subprocess.run(command, stdin=text, capture_output=True, env=seqtrans_environment(), check=False)
    assert "is read too" in one_line(run, 2)


def test_tokenize_reads_and_writes_files(subwords: Path, folder: Path, run_seqtrans: RunSeqtrans) -> None:
    (folder / "a.en").write_bytes(b"one two\nfour")
    (folder / "b.en").write_bytes(b"five\n")
    assert good(run_seqtrans("tokenize", "encode", "-m", subwords, "a.en", "b.en", "-o", "pieces", cwd=folder)) == b""
    assert (folder / "pieces").read_text("utf-8") == "▁one ▁two\n▁four\n▁five\n"
    assert good(run_seqtrans("tokenize", "decode", "-m", subwords, "pieces", cwd=folder)) == b"one two\nfour\nfive\n"


def test_rescore_reads_and_writes_files(tiny_model: Path, folder: Path, run_seqtrans: RunSeqtrans) -> None:
    (folder / "text").write_bytes(b"one two\nfour\n")
    lists = good(run_seqtrans("translate", "-m", tiny_model, "--n-best", 2, "--format", "moses", "text", cwd=folder))
    (folder / "first").write_bytes(b"".join(lists.splitlines(keepends=True)[:2]))
    (folder / "second").write_bytes(b"".join(lists.splitlines(keepends=True)[2:]))
    expected = good(run_seqtrans("rescore", "-m", tiny_model, "text", input=lists, cwd=folder))
    run = run_seqtrans("rescore", "-m", tiny_model, "text", "first", "second", "-o", "out", cwd=folder)
    assert good(run) == b""
    assert (folder / "out").read_bytes() == expected
    (folder / "second").write_bytes(b"1 ||| broken\n")
    run = run_seqtrans("rescore", "-m", tiny_model, "text", "first", "second", "-o", "new", cwd=folder)
    assert "second:1: is no line" in one_line(run, 65)
    assert not (folder / "new").exists()


def test_a_model_under_any_name_is_a_model(tiny_model: Path, folder: Path, run_seqtrans: RunSeqtrans) -> None:
    shutil.copy(tiny_model, folder / "a.bin")
    run = run_seqtrans("tokenize", "encode", "-m", "a.bin", "--side", "source", input=b"one two\n", cwd=folder)
    assert good(run).decode() == "▁one ▁two\n"


def test_a_text_in_the_place_of_a_model(tiny_model: Path, folder: Path, run_seqtrans: RunSeqtrans) -> None:
    for command in (
        ["translate", "-m", "a.en"], ["rescore", "-m", "a.en", "b.en"], ["score", "-m", "a.en", "b.en"],
        ["tokenize", "encode", "-m", "a.en"], ["generate", "-m", "a.en"], ["inspect", "a.en"],
        ["translate", "-m", tiny_model, "--lm", "a.en"],
    ):  # fmt: skip
        assert "a.en: is a text, not a model; " in one_line(run_seqtrans(*command, cwd=folder), 65)


def test_a_model_in_the_place_of_a_text(
    tiny_model: Path, subwords: Path, folder: Path, run_seqtrans: RunSeqtrans
) -> None:
    for model in (tiny_model, subwords):
        for command in (
            ["score", model, "-r", "a.en"], ["score", "a.en", "-r", model], ["tokenize", "learn", model, "-o", "new"],
            ["rescore", "-m", tiny_model, model],
        ):  # fmt: skip
            (folder / "a.en").write_bytes(b"one\n")
            run = run_seqtrans(*command, cwd=folder)
            assert one_line(run, 65) == f"seqtrans: {model}: is a model, not a text; a text is expected here\n"


@pytest.mark.parametrize(("flags", "warnings"), [([], 1), (["--prefix"], 0)])
def test_columns_are_warned_of_unless_they_are_wanted(
    flags: list[str], warnings: int, tiny_model: Path, run_seqtrans: RunSeqtrans
) -> None:
    run = run_seqtrans("translate", "-m", tiny_model, *flags, input=b"one\teins\ntwo\tzwei\nthree\n")
    good(run)
    told = [line for line in run.stderr.splitlines() if b"TAB" in line]
    assert len(told) == warnings
    if warnings:
        assert told[0].startswith(b"seqtrans: warning: <stdin>: 2 of 3 lines have a TAB")
        assert all(word in run.stderr for word in (b"`cut -f 1`", b"--prefix", b"--require"))


def test_columns_on_one_side_of_a_score_are_warned_of(folder: Path, run_seqtrans: RunSeqtrans) -> None:
    (folder / "plain").write_bytes(b"one two\nthree\n")
    (folder / "columns").write_bytes(b"one two\t0-0\nthree\t1-1\n")
    (folder / "some").write_bytes(b"one two\t0-0\nthree\n")
    for words, name in ((["columns", "-r", "plain"], "columns"), (["plain", "-r", "columns"], "columns")):
        run = run_seqtrans("score", *words, cwd=folder)
        good(run)
        assert run.stderr.startswith(f"seqtrans: warning: {name}: each line has a TAB".encode())
        assert run.stderr.count(b"\n") == 1
        assert all(word in run.stderr for word in (b"`cut -f 1`", b"--prefix", b"--require"))
    for words in (["some", "-r", "plain"], ["columns", "-r", "columns"], ["plain", "-r", "plain"]):
        assert run_seqtrans("score", *words, cwd=folder).stderr == b""


@pytest.mark.parametrize(
    ("command", "line"),
    [("translate", "one"), ("tokenize encode", "one"), ("tokenize decode", "one"), ("rescore", "0 ||| eins ||| ||| 0")],
)
def test_a_command_says_that_it_waits_at_a_terminal(
    command: str, line: str, tiny_model: Path, folder: Path, warm_process: WarmProcess
) -> None:
    (folder / "text").write_bytes(b"one\n")
    terminal, other_end = pty.openpty()
    arguments = [*command.split(), "-m", str(tiny_model), *([str(folder / "text")] if command == "rescore" else [])]
    process = subprocess.Popen(
        [warm_process.install(folder / "seqtrans"), *arguments],
        stdin=other_end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=seqtrans_environment(),
    )  # fmt: skip
    os.close(other_end)
    os.write(terminal, f"{line}\n\x04".encode())
    try:
        written, told = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(terminal)
    assert (process.returncode, written.count(b"\n")) == (0, 1)
    assert told.startswith(b"seqtrans: reads standard input, line by line; Ctrl-D ends it\n")


def test_a_report_goes_where_a_shell_sends_it(tiny_model: Path, folder: Path, warm_process: WarmProcess) -> None:
    """To a process, and behind what stands in the file that is standard error."""
    arguments = "translate", "-m", str(tiny_model), "--beam", "1"
    command = shlex.join([str(warm_process.install(folder / "seqtrans")), *arguments])
    own_process = shlex.join(seqtrans_command(*arguments))  # which the shell gives more than standard streams
    script = f"""
        {own_process} --report >(gzip > report.gz) > plain <<< one; wait $!
        (echo before >&2; echo one | {command} --report /dev/stderr; echo after >&2) 2> log > plain
        echo one | {command} -o /dev/stdout > direct
    """
    run = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=seqtrans_environment(), capture_output=True, timeout=120, check=False
    )
    assert (run.returncode, run.stderr) == (0, b"")
    report = subprocess.run(["gzip", "-dc", folder / "report.gz"], capture_output=True, check=True).stdout
    assert report.startswith(b"{")
    assert (folder / "log").read_bytes() == b"before\n" + report + b"after\n"
    assert (folder / "direct").read_bytes() == (folder / "plain").read_bytes() == b"eins\n"
