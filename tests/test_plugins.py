"""Cells, attentions, formats and metrics of other packages, found by their entry points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seqtrans import plugins
from seqtrans.errors import UsageError
from seqtrans.recurrent.cells.rnn import RNN
from tests import packages
from tests.conftest import ROOT, RunSeqtrans

MODULE = """
from seqtrans.inference.formats.base import Format
from seqtrans.io.lines import one_line
from seqtrans.model.attention.dot import Dot
from seqtrans.recurrent.cells.rnn import RNN
from seqtrans.scoring.metrics.exact import Exact


class Theirs(RNN):
    "A cell of another package."


class Doubled(Dot):
    "An attention of another package."

    def scores(self, query_BTH, keys_BSA):
        return 2 * super().scores(query_BTH, keys_BSA)


class Same(Exact):
    name = "same"


shouted = Format(lambda number, translation: one_line(translation.text.upper()), has_lists=False)
broken = None
"""
ENTRY_POINTS = """
[seqtrans.cells]
theirs = their_package:Theirs
rnn = their_package:broken
absent = their_package:Absent

[seqtrans.attentions]
doubled = their_package:Doubled

[seqtrans.formats]
shouted = their_package:shouted

[seqtrans.metrics]
same = their_package:Same
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with such a package."""
    return packages.install(tmp_path / "site", MODULE, ENTRY_POINTS)


def test_a_package_brings_a_cell_an_attention_a_format_and_a_metric(
    tmp_path: Path, site: Path, parallel_text: tuple[Path, Path], tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    environment = {"PYTHONPATH": f"{ROOT}:{site}", "SEQTRANS_TRAINING_METRIC": "same"}
    model = tmp_path / "m.safetensors"
    run = run_seqtrans(
        "train", "--train", *parallel_text, "--dev", *parallel_text, "-o", model, "--config", tiny_config,
        "--cell", "theirs", "--attention", "doubled", "--max-steps", 2, "--threads", 1, env=environment,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    assert "dev same " in run.stderr.decode()
    flags = ["--format", "shouted", "--threads", 1]
    run = run_seqtrans("translate", "-m", model, *flags, input=b"one\n", env=environment)
    assert run.returncode == 0, run.stderr.decode()
    assert run.stdout == run.stdout.upper()
    run = run_seqtrans("translate", "-m", model, input=b"one\n")
    assert run.returncode == 65  # without the package
    assert b"unknown cell 'theirs'" in run.stderr


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package is installed for this process."""
    monkeypatch.syspath_prepend(site)
    plugins.entry_points.cache_clear()
    yield
    plugins.entry_points.cache_clear()


@pytest.mark.usefixtures("installed")
def test_a_package_replaces_nothing_and_a_broken_one_is_named() -> None:
    cells = "seqtrans.recurrent.cells"
    before = plugins.builtin_names(cells)
    assert plugins.names(cells) == sorted([*before, "theirs", "absent"])
    assert plugins.load(cells, "cell", "rnn", callable) is RNN
    with pytest.raises(UsageError, match="cell 'absent' of their_package:Absent cannot be imported: AttributeError"):
        plugins.load(cells, "cell", "absent", callable)
    with pytest.raises(UsageError, match="did you mean 'theirs'"):
        plugins.load(cells, "cell", "their", callable)
    with pytest.raises(UsageError, match="cell 'theirs': their_package:Theirs is no cell of seqtrans"):
        plugins.load(cells, "cell", "theirs", lambda plugin: False)


def test_every_kind_of_plugin_has_a_group() -> None:
    assert all(plugins.builtin_names(package) for package in plugins.GROUPS)
