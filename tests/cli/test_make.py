"""A training as the target of a Makefile that is interrupted, with the recipe that the README shows."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from seqtrans.model.file import trained_steps
from tests.conftest import ROOT, RunSeqtrans, seqtrans_environment
from tests.warm import WarmProcess

Text = tuple[Path, Path]
SHORT = {"SEQTRANS_TRAINING_MAX_EPOCHS": "9", "SEQTRANS_TRAINING_VALIDATE_EVERY": "25"}
"""Epochs of 7 steps each: validated at 25, 50 and the end."""


def makefile_of_the_readme() -> str:
    """The Makefile whose target is a model."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (found,) = [block for block in re.findall(r"```make\n(.*?)```", readme, flags=re.DOTALL) if "--resume" in block]
    return str(found)


class MakeFolder:
    """A folder with that Makefile, what its training reads, and a command called `seqtrans`."""

    def __init__(self, folder: Path, config: Path, warm_process: WarmProcess) -> None:
        """Of a folder that `filled` wrote, or of a copy of it."""
        self.folder, self.model = folder, folder / "model.safetensors"
        self._config, self._warm_process = config, warm_process
        warm_process.install(folder / "bin" / "seqtrans", "--config", config)

    @classmethod
    def filled(cls, folder: Path, text: Text, config: Path, warm_process: WarmProcess, without: str = "") -> MakeFolder:
        """Write what the training reads, and the Makefile, `without` one of its parts."""
        sides = [path.read_text("utf-8").splitlines() for path in text]
        lines = [f"{source}\t{target}\n" for source, target in zip(*sides, strict=True)]
        for name, count in (("train.tsv", len(lines)), ("dev.tsv", 40)):
            (folder / name).write_text("".join(lines[:count]), "utf-8")
        (folder / "Makefile").write_text(makefile_of_the_readme().replace(without, ""), "utf-8")
        return cls(folder, config, warm_process)

    def copy(self, folder: Path) -> MakeFolder:
        """The same in another folder, with the times of its files."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return MakeFolder(folder, self._config, self._warm_process)

    def make(self) -> subprocess.Popen[bytes]:
        """Begin; in a process group of its own, as a shell starts it."""
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.Popen(
            ["make", "model.safetensors"],
            cwd=self.folder,
            env=seqtrans_environment(PATH=path, OMP_NUM_THREADS="1", **SHORT),
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

    def interrupt(self) -> None:
        """Begin, and press Ctrl-C after the first validation: all that make runs gets the signal."""
        with self.make() as process:
            while process.poll() is None and not self.model.exists():
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGINT)
            _, stderr = process.communicate(timeout=60)
        assert process.returncode != 0, stderr.decode()
        assert not self.model.exists()  # make deleted it


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, parallel_text: Text, tiny_config: Path, warm_process: WarmProcess,
    run_seqtrans: RunSeqtrans,
) -> MakeFolder:  # fmt: skip
    """Where nobody disturbed the training that make starts."""
    place = MakeFolder.filled(tmp_path_factory.mktemp("whole"), parallel_text, tiny_config, warm_process)
    recipe = re.search(r"^\tseqtrans (train .*) \$@$", makefile_of_the_readme(), flags=re.MULTILINE)
    assert recipe is not None
    words = [*recipe[1].split(), "model.safetensors", "--config", tiny_config]
    run = run_seqtrans(*words, env=SHORT, cwd=place.folder)
    assert run.returncode == 0, run.stderr.decode()
    return place


@pytest.fixture(scope="module")
def interrupted(
    tmp_path_factory: pytest.TempPathFactory, parallel_text: Text, tiny_config: Path, warm_process: WarmProcess
) -> MakeFolder:
    """What is left after Ctrl-C."""
    place = MakeFolder.filled(tmp_path_factory.mktemp("interrupted"), parallel_text, tiny_config, warm_process)
    place.interrupt()
    return place


def goes_on_to_the_same_model(place: MakeFolder, whole: MakeFolder) -> None:
    said = place.finish()
    assert "resuming from step" in said
    assert "written again" in said
    assert place.model.read_bytes() == whole.model.read_bytes()


def test_make_deletes_the_model_and_the_training_goes_on(
    tmp_path: Path, interrupted: MakeFolder, whole: MakeFolder
) -> None:
    goes_on_to_the_same_model(interrupted.copy(tmp_path), whole)


@pytest.mark.prove
def test_it_does_so_where_make_does_not_delete_on_error(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, warm_process: WarmProcess, whole: MakeFolder
) -> None:
    place = MakeFolder.filled(tmp_path, parallel_text, tiny_config, warm_process, ".DELETE_ON_ERROR:\n")
    assert "DELETE" not in (tmp_path / "Makefile").read_text("utf-8")
    place.interrupt()
    goes_on_to_the_same_model(place, whole)


def test_a_model_that_is_deleted_after_the_training_is_written_anew(tmp_path: Path, whole: MakeFolder) -> None:
    place = whole.copy(tmp_path)
    place.model.unlink()
    place.finish()
    assert place.model.read_bytes() == whole.model.read_bytes()
    (tmp_path / "train.tsv").touch()  # the same text, but newer than the model
    place.finish()
    assert place.model.stat().st_mtime >= (tmp_path / "train.tsv").stat().st_mtime
    assert place.model.read_bytes() == whole.model.read_bytes()


def test_a_training_goes_on_when_every_copy_of_the_best_model_is_gone(
    tmp_path: Path, interrupted: MakeFolder, whole: MakeFolder
) -> None:
    place = interrupted.copy(tmp_path)
    (tmp_path / "model.state" / "best-model.safetensors").unlink()
    said = place.finish()
    assert "warning: " in said
    assert "the next validation counts as the best so far" in said
    assert trained_steps(place.model) == trained_steps(whole.model)


def test_another_file_at_the_output_is_not_taken_for_the_model(
    tmp_path: Path, interrupted: MakeFolder, whole: MakeFolder
) -> None:
    place = interrupted.copy(tmp_path)
    (tmp_path / "model.state" / "best-model.safetensors").unlink()
    place.model.write_text("not a model", "utf-8")
    os.utime(place.model, (0, 0))  # older than the text, so that make trains
    assert "is the best model of this training" in place.finish()
    assert trained_steps(place.model) == trained_steps(whole.model)
