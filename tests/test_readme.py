"""The README's tutorial, run as it stands, only with less training."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, seqtrans_environment


def blocks(section: str, language: str) -> list[str]:
    """The blocks of code in a section."""
    readme = (ROOT / "README.md").read_text("utf-8")
    text = readme.split(f"## {section}", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def run_blocks(commands: list[str], tmp_path: Path) -> str:
    """Run commands in a folder with the demo's data, with less training; what they print."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    command = tmp_path / "bin" / "seqtrans"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m seqtrans "$@"\n', "utf-8")
    command.chmod(0o755)
    run = subprocess.run(
        ["bash", "-e", "-c", "".join(commands)],
        cwd=tmp_path,
        env=seqtrans_environment(PATH=f"{command.parent}:{os.environ['PATH']}", SEQTRANS_TRAINING_MAX_STEPS="20"),
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode()


def test_the_tutorial_works(tmp_path: Path) -> None:
    commands = blocks("Tutorial", "bash")
    assert len(commands) == 3
    said = run_blocks(commands, tmp_path)
    assert "▁The ▁doctor" in said
    assert "The doctor gets up.\n" in said
    assert "BLEU = " in said
    assert (tmp_path / "demo.safetensors").is_file()


def test_the_cell_of_ones_own_works(tmp_path: Path) -> None:
    (code,) = blocks("Cells", "python")
    assert code.count("\n") <= 25
    (tmp_path / "leaky.py").write_text(code, "utf-8")
    assert run_blocks(blocks("Cells", "bash"), tmp_path).count("\n") == 1
