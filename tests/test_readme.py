"""The README's tutorial, run as it stands, only with less training."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, seqtrans_environment


def test_the_tutorial_works(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    tutorial = readme.split("## Tutorial", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```bash\n(.*?)```", tutorial, flags=re.DOTALL)
    assert len(blocks) == 3
    (tmp_path / "data").symlink_to(ROOT / "data")
    command = tmp_path / "bin" / "seqtrans"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m seqtrans "$@"\n', "utf-8")
    command.chmod(0o755)
    run = subprocess.run(
        ["bash", "-e", "-c", "".join(blocks)],
        cwd=tmp_path,
        env=seqtrans_environment(PATH=f"{command.parent}:{os.environ['PATH']}", SEQTRANS_TRAINING_MAX_STEPS="20"),
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    said = run.stdout.decode()
    assert "▁The ▁doctor" in said
    assert "The doctor gets up.\n" in said
    assert "BLEU = " in said
    assert (tmp_path / "demo.safetensors").is_file()
