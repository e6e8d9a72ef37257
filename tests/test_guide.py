"""The guide: its generated parts are what the code says, its tutorial and its examples run."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from seqtrans.config.binding import read_toml, updated_section
from seqtrans.config.reference import Setting, settings_of, settings_table, settings_toml
from seqtrans.config.resolution import load_config
from seqtrans.config.schema import Config
from seqtrans.search.options import SearchOptions
from tests.conftest import ROOT, RunSeqtrans, seqtrans_environment
from tests.guide import GUIDE, SECTIONS, SETTINGS, commands, guide, settings_file
from tests.warm import WarmProcess


def section(title: str) -> str:
    """The text of a section."""
    return GUIDE.read_text("utf-8").split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def blocks(title: str, language: str) -> list[str]:
    """The blocks of code in a section."""
    return re.findall(rf"```{language}\n(.*?)```", section(title), flags=re.DOTALL)


class Folder:
    """A folder with the demo's data, in which trainings and texts to translate are small."""

    def __init__(self, path: Path, warm_process: WarmProcess) -> None:
        self.path = path
        demo = path / "data" / "demo"
        demo.mkdir(parents=True)
        for part, count in (("train", 4000), ("dev", 20), ("test", 20)):
            for side in ("en", "de"):
                lines = (ROOT / "data" / "demo" / f"{part}.{side}").read_text("utf-8").split("\n")[:count]
                (demo / f"{part}.{side}").write_text("\n".join(lines) + "\n", "utf-8")
        command = warm_process.install(path / "bin" / "seqtrans")
        self.environment = seqtrans_environment(
            PATH=f"{command.parent}:{os.environ['PATH']}",
            SEQTRANS_TRAINING_MAX_STEPS="8",
            SEQTRANS_MODEL_EMBEDDING="32",
            SEQTRANS_MODEL_HIDDEN="64",
        )

    def run(self, commands: list[str]) -> str:
        """Run blocks of commands; what they print."""
        run = subprocess.run(
            ["bash", "-e", "-c", "".join(commands)],
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            timeout=240,
            check=False,
        )
        assert run.returncode == 0, run.stderr.decode()
        return run.stdout.decode()


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory, warm_process: WarmProcess) -> tuple[Folder, str]:
    """The folder in which the tutorial ran, and what it printed."""
    folder = Folder(tmp_path_factory.mktemp("tutorial"), warm_process)
    return folder, folder.run(blocks("Tutorial", "bash"))


def test_the_tutorial_works(tutorial: tuple[Folder, str]) -> None:
    folder, printed = tutorial
    assert len(blocks("Tutorial", "bash")) == 3
    assert "▁The ▁doctor" in printed
    assert "The doctor gets up.\n" in printed
    assert "BLEU = " in printed
    assert (folder.path / "demo.safetensors").is_file()


def examples() -> list[tuple[str, int]]:
    """The commands of the guide's `console` blocks, and how many lines each prints."""
    found: list[tuple[str, int]] = []
    for block in re.findall(r"```console\n(.*?)```", GUIDE.read_text("utf-8"), flags=re.DOTALL):
        for command in block.split("$ ")[1:]:
            first, *output = command.rstrip("\n").split("\n")
            found.append((first, len(output)))
    return found


def stages(command: str) -> list[list[str]]:
    """The programs of a pipeline with their arguments."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|")
    lexer.whitespace_split = True
    words = list(lexer)
    ends = [at for at, word in enumerate(words) if word == "|"]
    return [words[start:end] for start, end in zip([0, *(end + 1 for end in ends)], [*ends, len(words)], strict=True)]


def printed_lines(command: str, folder: Path, run_seqtrans: RunSeqtrans) -> int:
    """Run a pipeline whose stages are `seqtrans` or programs of the shell; how many lines come out."""
    data = b""
    for program, *arguments in stages(command):
        if program == "seqtrans":
            run = run_seqtrans(*arguments, input=data, cwd=folder)
        else:
            run = subprocess.run([program, *arguments], input=data, cwd=folder, capture_output=True, check=False)
        assert run.returncode == 0, f"{command}: {run.stderr.decode()}"
        data = run.stdout
    return len(data.rstrip(b"\n").split(b"\n"))


def test_every_example_prints_as_many_lines_as_it_shows(
    tutorial: tuple[Folder, str], run_seqtrans: RunSeqtrans
) -> None:
    """The model has hardly been trained, so that the lines themselves differ."""
    folder, _ = tutorial
    folder.run(blocks("Language models", "bash"))
    shown = dict(examples())
    assert len(shown) > 20
    assert {command: printed_lines(command, folder.path, run_seqtrans) for command in shown} == shown


def test_the_four_lines_of_python_work(
    tutorial: tuple[Folder, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of the README are those of the guide."""
    folder, _ = tutorial
    (code,) = blocks("Python", "python")
    assert f"```python\n{code}```" in (ROOT / "README.md").read_text("utf-8")
    (folder.path / "program.py").write_text(code, "utf-8")
    monkeypatch.chdir(folder.path)
    runpy.run_path("program.py")
    assert capsys.readouterr().out.count("\n") == 2


def test_the_cell_of_ones_own_works(tmp_path: Path, warm_process: WarmProcess) -> None:
    folder = Folder(tmp_path, warm_process)
    (code,) = blocks("Cells", "python")
    assert code.count("\n") <= 25
    (tmp_path / "leaky.py").write_text(code, "utf-8")
    assert folder.run(blocks("Cells", "bash")).count("\n") == 1


def test_generated_parts_are_what_the_code_says() -> None:
    """If this fails, run `make guide`."""
    assert guide(GUIDE.read_text("utf-8")) == GUIDE.read_text("utf-8")
    assert settings_file() == SETTINGS.read_text("utf-8")


def every_setting() -> Mapping[str, Setting]:
    return {f"{name}.{setting.name}": setting for name, section in SECTIONS.items() for setting in settings_of(section)}


def test_every_setting_has_a_meaning() -> None:
    assert len(every_setting()) > 60
    assert [name for name, setting in every_setting().items() if not setting.meaning] == []


def test_the_settings_file_holds_every_key_at_its_default() -> None:
    assert load_config("demo", SETTINGS, {}, {}) == Config()
    search = read_toml(SETTINGS)["search"]
    assert updated_section(SearchOptions(), "search", search, "settings.toml") == SearchOptions()
    without_default = {name for name, setting in every_setting().items() if setting.default is None}
    written = {f"{name}.{key}" for name, table in read_toml(SETTINGS).items() for key in table}
    assert written | without_default == set(every_setting())


def test_a_table_gives_default_range_and_meaning() -> None:
    row = next(row for row in settings_table(SECTIONS["model"]).split("\n") if row.startswith("| `hidden`"))
    assert row.startswith("| `hidden` | `512` | 2 to 65,536, a multiple of 2 | State size of the decoder;")
    assert '| `bridge` | `"last"` | `"last"`, `"mean"` |' in settings_table(SECTIONS["model"])
    assert "\n# 2 to 65,536, a multiple of 2\nhidden = 512\n" in settings_toml(SECTIONS)


def test_flags_have_the_names_by_which_they_are_given() -> None:
    table = commands()
    for row in ("`--model`, `-m` `MODEL...` (required)", "`--format` `NAME`", "`--lm` `MODEL`", "`--threads` `N`"):
        assert f"| {row} |" in table
    assert "### seqtrans tokenize learn\n" in table
