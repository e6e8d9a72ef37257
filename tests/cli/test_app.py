"""The command line as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seqtrans import __version__
from tests.conftest import RunSeqtrans

COMMANDS = (["tokenize", "learn"], ["tokenize", "encode"], ["tokenize", "decode"], ["train"], ["translate"],
            ["score"], ["inspect"])  # fmt: skip
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
