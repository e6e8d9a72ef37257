"""A training as the target of a Makefile that is interrupted, with the recipe that the README shows."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, seqtrans_environment

Text = tuple[Path, Path]


def makefile_of_the_readme() -> str:
    """The Makefile whose target is a model."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (found,) = [block for block in re.findall(r"```make\n(.*?)```", readme, flags=re.DOTALL) if "--resume" in block]
    return str(found)


class MakeFolder:
    """A folder with that Makefile, and what its training reads."""

    def __init__(self, folder: Path, text: Text, config: Path, head: str = "") -> None:
        self.folder, self.model = folder, folder / "model.safetensors"
        sides = [path.read_text("utf-8").splitlines() for path in text]
        lines = "".join(f"{source}\t{target}\n" for source, target in zip(*sides, strict=True))
        for name in ("train.tsv", "dev.tsv"):
            (folder / name).write_text(lines, "utf-8")
        (folder / "Makefile").write_text(head + makefile_of_the_readme(), "utf-8")
        command = folder / "bin" / "seqtrans"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec {sys.executable!r} -m seqtrans "$@" --config {str(config)!r}\n', "utf-8")
        command.chmod(0o755)
        self.environment = seqtrans_environment(
            PATH=f"{command.parent}:{os.environ['PATH']}",
            SEQTRANS_TRAINING_MAX_EPOCHS="34",  # of 7 steps each: validated at 100, 200 and the end
            OMP_NUM_THREADS="1",
        )

    def make(self) -> subprocess.Popen[bytes]:
        """Begin; in a process group of its own, as a shell starts it."""
        return subprocess.Popen(
            ["make", "model.safetensors"],
            cwd=self.folder,
            env=self.environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            process_group=0,
        )

    def finish(self) -> str:
        """Let it run to its end; what it said."""
        with self.make() as process:
            _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr.decode()
        return stderr.decode()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, parallel_text: Text, tiny_config: Path) -> bytes:
    """The model of a training that nobody disturbed."""
    whole = MakeFolder(tmp_path_factory.mktemp("whole"), parallel_text, tiny_config)
    whole.finish()
    return whole.model.read_bytes()


@pytest.mark.parametrize("head", ["", ".DELETE_ON_ERROR:\n"])
def test_make_deletes_the_model_and_the_training_goes_on(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, head: str, uninterrupted: bytes
) -> None:
    place = MakeFolder(tmp_path, parallel_text, tiny_config, head)
    with place.make() as process:
        while process.poll() is None and not place.model.exists():
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C: make and all that it runs
        _, stderr = process.communicate(timeout=60)
    assert process.returncode != 0, stderr.decode()
    assert not place.model.exists()  # make deleted it
    said = place.finish()
    assert "going on from step" in said
    assert "written anew" in said
    assert place.model.read_bytes() == uninterrupted


def test_a_model_that_is_deleted_after_the_training_is_written_anew(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, uninterrupted: bytes
) -> None:
    place = MakeFolder(tmp_path, parallel_text, tiny_config)
    place.finish()
    place.model.unlink()
    place.finish()
    assert place.model.read_bytes() == uninterrupted
    (tmp_path / "train.tsv").touch()  # the same text, but newer than the model
    place.finish()
    assert place.model.stat().st_mtime >= (tmp_path / "train.tsv").stat().st_mtime
    assert place.model.read_bytes() == uninterrupted


def test_a_training_goes_on_when_every_copy_of_the_best_model_is_gone(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, uninterrupted: bytes
) -> None:
    place = MakeFolder(tmp_path, parallel_text, tiny_config)
    with place.make() as process:
        while process.poll() is None and not place.model.exists():
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    (tmp_path / "model.state" / "best-model.safetensors").unlink()
    said = place.finish()
    assert "warning: " in said
    assert "the next validation counts as the best so far" in said
    assert place.model.exists()
    assert len(place.model.read_bytes()) == len(uninterrupted)
