"""The command line as a whole."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from seqtrans.cli.options import HEADINGS
from seqtrans.version import __version__
from tests.conftest import RunSeqtrans, seqtrans_command, seqtrans_environment

COMMANDS = (["tokenize", "learn"], ["tokenize", "encode"], ["tokenize", "decode"], ["train"], ["translate"],
            ["score"], ["rescore"], ["generate"], ["average"], ["inspect"], ["recall"])  # fmt: skip
GUIDE = Path(__file__).parents[2] / "GUIDE.md"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_and_is_explained_in_the_guide(command: list[str], run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans(*command, "--help")
    assert run.returncode == 0
    assert run.stdout.startswith(f"Usage: seqtrans {' '.join(command)} [OPTIONS]".encode())
    written, _, _generated = GUIDE.read_text("utf-8").partition("<!-- generated: commands -->")
    assert f"seqtrans {' '.join(command)}" in written


def test_every_flag_explains_itself(run_seqtrans: RunSeqtrans) -> None:
    for command in COMMANDS:
        text = run_seqtrans(*command, "--help").stdout.decode()
        flags = re.split(r"^  (?=-)", text, flags=re.MULTILINE)[1:]
        assert len(flags) > 2, command
        for flag in flags:  # its name, and after a gap or on the next line what it does
            assert re.search(r"\S\s{2,}\S", flag), f"{command}: {flag}"


@pytest.mark.parametrize("command", [[], ["tokenize"], *COMMANDS], ids=" ".join)
def test_help_has_known_headings_in_one_order_and_fits(command: list[str], run_seqtrans: RunSeqtrans) -> None:
    text = run_seqtrans(*command, "--help", env={"COLUMNS": "80"}).stdout.decode()
    headings = re.findall(r"^(\w+):$", text, flags=re.MULTILINE)
    expected = [heading for heading in (*HEADINGS, "Commands", "Examples") if heading in headings]
    assert headings == expected
    assert max(map(len, text.splitlines())) <= 80
    assert "None" not in text, "an option has no metavar"
    assert not re.search(r"\.\.\.$", text.partition("\n")[2], flags=re.MULTILINE), "the summary of a command is cut"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_ends_with_examples_that_can_be_parsed(command: list[str], run_seqtrans: RunSeqtrans) -> None:
    text = run_seqtrans(*command, "--help").stdout.decode()
    examples = text.split("\nExamples:\n")[1].splitlines()
    assert 1 <= len(examples) <= 3
    assert any(example.startswith(f"  seqtrans {' '.join(command)} ") for example in examples)
    for example in examples:
        words = shlex.split(re.sub(r"[<>] \S+", "", example))
        run = run_seqtrans(*words[1:], "--help")  # a flag that does not exist is an error all the same
        assert run.returncode == 0, run.stderr.decode()


@pytest.mark.parametrize("columns", ["60", "80"])
def test_help_breaks_no_name(columns: str, run_seqtrans: RunSeqtrans) -> None:
    text = run_seqtrans("train", "--help", env={"COLUMNS": columns}).stdout.decode()
    for name in ("lstm-peephole-full", "lstm-layernorm", "gru-reset-after", "multi-head-additive"):
        assert name in text


def proposals(line: str, run_seqtrans: RunSeqtrans) -> set[str]:
    """What bash is offered at the end of `line`."""
    words = line.split(" ")
    variables = {"_SEQTRANS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    run = run_seqtrans(env=variables)
    assert run.returncode == 0, run.stderr.decode()
    return set(run.stdout.decode().split())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("seqtrans tr", {"train", "translate"}),
        ("seqtrans tokenize ", {"learn", "encode", "decode"}),
        ("seqtrans translate --le", {"--length-penalty"}),
        ("seqtrans train --train a b --max", {"--max-steps", "--max-time"}),
        ("seqtrans translate -m m --format ", {"jsonl", "moses", "text"}),
        ("seqtrans train --cell lstm-l", {"lstm-layernorm"}),
        ("seqtrans train --preset b", {"base", "bideep"}),
        ("seqtrans score hyp --metric bleu --metric c", {"cer", "chrf"}),
        ("seqtrans tokenize learn --type w", {"word"}),
        ("seqtrans translate -m ", set()),
        ("seqtrans --show-completion p", {"powershell", "pwsh"}),
    ],
)
def test_a_shell_completes_commands_flags_and_values(line: str, expected: set[str], run_seqtrans: RunSeqtrans) -> None:
    assert proposals(line, run_seqtrans) == expected


def test_bash_completes_after_the_installation(tmp_path: Path) -> None:
    """The real bash, with a `seqtrans` on its path. The shell is named: nothing looks for one above the process."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "seqtrans"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m seqtrans "$@"\n', "utf-8")
    program.chmod(0o755)
    home = seqtrans_environment(HOME=str(tmp_path), PATH=f"{program.parent}:{os.environ['PATH']}")
    for _ in range(2):
        installed = subprocess.run(
            seqtrans_command("--install-completion", "bash"), env=home, capture_output=True, text=True, check=True
        )
        assert str(tmp_path) in installed.stdout
    assert (tmp_path / ".bashrc").read_text("utf-8").count("seqtrans") == 1
    script = (
        "source ~/.bashrc; "
        "COMP_WORDS=(seqtrans translate --le); COMP_CWORD=2; _seqtrans_completion seqtrans; "
        "complete -p seqtrans; echo ${COMPREPLY[@]}"
    )
    run = subprocess.run(["bash", "-c", script], env=home, capture_output=True, text=True, check=True)
    assert run.stdout == "complete -o default -F _seqtrans_completion seqtrans\n--length-penalty\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_of_each_shell_is_printed(shell: str, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("--show-completion", shell)
    assert (run.returncode, run.stderr) == (0, b"")
    assert f"_SEQTRANS_COMPLETE={'complete_' if shell != 'powershell' else ''}" in run.stdout.decode().replace(" ", "")
    assert "python" not in run.stdout.decode()


def test_a_shell_that_is_not_known_is_one_line(tmp_path: Path, run_seqtrans: RunSeqtrans) -> None:
    named = run_seqtrans("--install-completion", "csh", env={"HOME": str(tmp_path)})
    assert (named.returncode, named.stderr.count(b"\n")) == (2, 1)
    assert named.stderr.startswith(b"seqtrans: Invalid value for '--install-completion': 'csh' is not one of 'auto', ")
    blocked = run_seqtrans("--install-completion", "bash", env={"HOME": "/dev/null"})
    assert (blocked.returncode, blocked.stderr.count(b"\n")) == (74, 1)
    assert list(tmp_path.iterdir()) == []


def test_the_version(run_seqtrans: RunSeqtrans) -> None:
    assert run_seqtrans("--version").stdout.decode() == f"seqtrans {__version__}\n"


@pytest.mark.parametrize(
    ("line", "code", "stdout", "stderr"),
    [
        ("seqtrans --version >&-", 74, "", "seqtrans: standard output: cannot be written: it is closed\n"),
        ("seqtrans --version 2>&-", 0, f"seqtrans {__version__}\n", ""),
        ("seqtrans trane 2>&-", 2, "", ""),
        ("seqtrans tokenize encode -m {tmp} 2>&-", 65, "", ""),
        (
            "seqtrans tokenize encode -m {tmp} >&-",
            65,
            "",
            "seqtrans: {tmp}: not a file; a subword model is one file\n",
        ),
        ("seqtrans tokenize learn -o {tmp}/m <&-", 74, "", "seqtrans: <stdin>: cannot be read: it is closed\n"),
        ("seqtrans --version >/dev/full", 74, "", "seqtrans: standard output: No space left on device\n"),
    ],
)
def test_streams_that_are_closed_or_full(line: str, code: int, stdout: str, stderr: str, tmp_path: Path) -> None:
    function = f'seqtrans() {{ {shlex.quote(sys.executable)} -m seqtrans "$@"; }}; '
    done = subprocess.run(
        ["bash", "-c", function + line.replace("{tmp}", shlex.quote(str(tmp_path)))],
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
