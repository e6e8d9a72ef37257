"""The stand-in for `seqtrans` in shell commands behaves as `seqtrans` does."""

from __future__ import annotations

import io
import os
import select
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import seqtrans_environment
from tests.warm import WarmProcess


@pytest.fixture
def environment(tmp_path: Path, warm_process: WarmProcess) -> dict[str, str]:
    """An environment in which `seqtrans` is the stand-in."""
    command = warm_process.install(tmp_path / "bin" / "seqtrans")
    return seqtrans_environment(PATH=f"{command.parent}:{os.environ['PATH']}")


def shell(line: str, folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a line of shell."""
    run = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return run.returncode, run.stdout, run.stderr


def test_commands_of_a_pipeline_run_at_once(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "text").write_text("one two\n" * 9, "utf-8")
    code, printed, said = shell("seqtrans tokenize learn --type word -o words text", tmp_path, environment)
    assert (code, printed) == (0, ""), said
    with subprocess.Popen(
        ["bash", "-c", "seqtrans tokenize encode -m words | seqtrans tokenize decode -m words"],
        cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"two one\n")
        process.stdin.flush()
        assert select.select([process.stdout], [], [], 60)[0], "no line has passed through both"
        assert process.stdout.readline() == b"two one\n"
        process.stdin.close()
    assert process.returncode == 0


def test_folder_environment_and_exit_code_are_those_of_the_client(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "text").write_text("a\tb\n", "utf-8")
    line = "SEQTRANS_MODEL_HIDDEN=3 seqtrans train --train text --dev text -o model"
    code, printed, said = shell(line, tmp_path, environment)
    assert (code, printed) == (2, "")
    assert "environment: " in said
    assert "Usage: seqtrans train" in shell("seqtrans train --help", tmp_path, environment)[1]


def test_a_closed_stream_is_closed_for_the_command(tmp_path: Path, environment: dict[str, str]) -> None:
    said = "seqtrans: standard output: cannot be written: it is closed\n"
    assert shell("seqtrans --version >&-", tmp_path, environment) == (74, "", said)
    assert shell("seqtrans trane 2>&-", tmp_path, environment) == (2, "", "")


def write_for_a_minute(stream: io.FileIO) -> None:
    for _ in range(6000):
        stream.write(b"one\n")
        time.sleep(0.01)


def test_a_command_ends_when_its_client_is_killed(tmp_path: Path, environment: dict[str, str]) -> None:
    text = tmp_path / "text"
    os.mkfifo(text)
    command = ["seqtrans", "tokenize", "learn", "-o", "words", "text"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment) as process, text.open("wb", buffering=0) as writer:
        process.kill()  # the command waits for the rest of its text
        with pytest.raises(BrokenPipeError):
            write_for_a_minute(writer)
