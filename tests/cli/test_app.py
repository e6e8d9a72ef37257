"""The command line as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from seqtrans import __version__
from tests.conftest import RunSeqtrans, seqtrans_environment

COMMANDS = (["tokenize", "learn"], ["tokenize", "encode"], ["tokenize", "decode"], ["train"], ["translate"],
            ["score"], ["generate"], ["inspect"], ["recall"])  # fmt: skip
README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_and_stands_in_the_readme(command: list[str], run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans(*command, "--help")
    assert run.returncode == 0
    assert run.stdout.startswith(f"Usage: seqtrans {' '.join(command)}".encode()) or b"Usage:" in run.stdout
    assert f"seqtrans {' '.join(command)}" in README.read_text("utf-8")


def test_every_flag_explains_itself(run_seqtrans: RunSeqtrans) -> None:
    for command in COMMANDS:
        text = run_seqtrans(*command, "--help").stdout.decode()
        for line in re.findall(r"^  (-.*)$", text, flags=re.MULTILINE):
            assert re.search(r"\s{2,}\S", line) or len(line) > 25, f"{command}: {line}"


def test_the_version(run_seqtrans: RunSeqtrans) -> None:
    assert run_seqtrans("--version").stdout.decode() == f"seqtrans {__version__}\n"


@pytest.mark.parametrize(
    ("line", "code", "stdout", "stderr"),
    [
        ("seqtrans --version >&-", 74, "", "seqtrans: standard output: cannot be written: it is closed\n"),
        ("seqtrans --version 2>&-", 0, f"seqtrans {__version__}\n", ""),
        ("seqtrans trane 2>&-", 2, "", ""),
        ("seqtrans inspect {tmp} 2>&-", 65, "", ""),
        ("seqtrans inspect {tmp} >&-", 65, "", "seqtrans: {tmp}: is not a file; a seqtrans model is one file\n"),
        ("seqtrans tokenize learn -o {tmp}/m <&-", 74, "", "seqtrans: <stdin>: cannot be read: it is closed\n"),
        ("seqtrans --version >/dev/full", 74, "", "seqtrans: standard output: No space left on device\n"),
    ],
)
def test_streams_that_are_closed_or_full(line: str, code: int, stdout: str, stderr: str, tmp_path: Path) -> None:
    function = f'seqtrans() {{ {sys.executable} -m seqtrans "$@"; }}; '
    done = subprocess.run(
        ["bash", "-c", function + line.replace("{tmp}", str(tmp_path))],
        env=seqtrans_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (code, stdout, stderr.replace("{tmp}", str(tmp_path)))


def test_no_arguments_give_help_and_an_unknown_command_one_line(run_seqtrans: RunSeqtrans) -> None:
    bare = run_seqtrans()
    assert bare.returncode == 2
    assert bare.stderr.startswith(b"Usage:")
    unknown = run_seqtrans("trane")
    assert unknown.returncode == 2
    assert unknown.stderr.count(b"\n") == 1
    missing = run_seqtrans("translate")
    assert missing.returncode == 2
    assert missing.stderr.count(b"\n") == 1
    assert b"--model" in missing.stderr
