"""Models with cells from users' own files, on the command line: `--cell FILE.py:CLASS`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from seqtrans.config.schema import Config, ModelConfig
from seqtrans.model.file import load_model, load_subwords, save_model
from seqtrans.model.trained import CELL_DIGEST, TrainedModel, build_network
from seqtrans.recurrent.custom import load_cell
from seqtrans.recurrent.gated import GatedCell
from seqtrans.text.subword_training import learn_subwords
from tests.conftest import RunSeqtrans

CODE = """\
import torch
from seqtrans.recurrent.gated import GatedCell

class Mine(GatedCell):
    gates = 1

    def combine(self, gates, state):
        return (torch.{function}(gates[0] + state[0]),)
"""
LETTERS = learn_subwords(["abc def", "fed cba"], "char", 100)


def make_model(folder: Path, function: str, seed: int = 1) -> tuple[Path, str]:
    """A translator with fresh weights, and its cell's name: all have the same class name, in files of one name."""
    folder.mkdir()
    (folder / "cell.py").write_text(CODE.format(function=function), "utf-8")
    cell = load_cell(f"{folder / 'cell.py'}:Mine")
    torch.default_generator.manual_seed(seed)
    config = Config(model=ModelConfig(cell="cell.py:Mine", embedding=6, hidden=8))
    network = build_network(config, LETTERS, LETTERS, cell.kind)
    path = folder / "model.safetensors"
    save_model(path, TrainedModel(config, network, LETTERS, LETTERS, {"data": {CELL_DIGEST: cell.digest}}))
    return path, cell.name


@pytest.fixture
def models(tmp_path: Path) -> tuple[Path, Path, list[str]]:
    """Two models, and their cells in the other order."""
    (one, its), (other, others) = (make_model(tmp_path / name, name) for name in ("tanh", "sin"))
    return one, other, [others, its]


def test_each_model_of_an_ensemble_has_its_own_cell(
    models: tuple[Path, Path, list[str]], run_seqtrans: RunSeqtrans
) -> None:
    one, other, cells = models
    together = run_seqtrans("translate", "-m", one, other, "--cell", *cells, "--beam", 1, input=b"abc\n")
    assert (together.returncode, together.stderr) == (0, b"")
    loaded = [load_model(path, [load_cell(name) for name in cells]) for path in (one, other)]
    gates = torch.linspace(-3, 3, 8).expand(2, 8)
    for model, function in zip(loaded, (torch.tanh, torch.sin), strict=True):
        (layer, *_) = model.seq2seq.decoder.layers
        assert isinstance(layer, GatedCell)
        assert torch.equal(layer.combine([gates], (gates,))[0], function(gates + gates))


def test_one_of_two_cells_is_wanting(models: tuple[Path, Path, list[str]], run_seqtrans: RunSeqtrans) -> None:
    one, other, cells = models
    run = run_seqtrans("translate", "-m", one, other, input=b"abc\n")
    assert run.returncode == 2
    assert run.stderr.decode().splitlines() == [
        "seqtrans: cell 'cell.py:Mine' comes from a file that is not part of seqtrans; add --cell cell.py:Mine"
    ]
    run = run_seqtrans("translate", "-m", one, other, "--cell", cells[0], input=b"abc\n")
    assert run.returncode == 0
    assert run.stderr.decode() == f"seqtrans: warning: {cells[0]} has changed since {one} was trained\n"


def test_which_of_two_changed_cells_it_is_cannot_be_told(
    models: tuple[Path, Path, list[str]], run_seqtrans: RunSeqtrans
) -> None:
    one, _, cells = models
    for name in cells:
        file = Path(name.partition(":")[0])
        file.write_text(file.read_text("utf-8") + "# changed\n", "utf-8")
    run = run_seqtrans("translate", "-m", one, "--cell", *cells, input=b"abc\n")
    assert run.returncode == 2
    assert run.stderr.count(b"\n") == 1
    assert f"could be {cells[0]} or {cells[1]}" in run.stderr.decode()


def test_models_with_one_cell_have_a_mean(tmp_path: Path, run_seqtrans: RunSeqtrans) -> None:
    (one, cell), (other, _) = (make_model(tmp_path / str(seed), "tanh", seed) for seed in (1, 2))
    mean = tmp_path / "mean.safetensors"
    run = run_seqtrans("average", one, other, "--cell", cell, "--cell", cell, "-o", mean)
    assert run.returncode == 0, run.stderr.decode()
    found, *parts = (load_model(path, [load_cell(cell)]).seq2seq.output_weight for path in (mean, one, other))
    torch.testing.assert_close(found, (parts[0] + parts[1]) / 2)


def test_subwords_are_read_without_the_cell(tmp_path: Path, run_seqtrans: RunSeqtrans) -> None:
    model, _ = make_model(tmp_path / "tanh", "tanh")
    assert [subwords.digest for subwords in load_subwords(model)] == [LETTERS.digest] * 2
    pieces = run_seqtrans("tokenize", "encode", "-m", model, input=b"fed\n")
    assert pieces.stdout.decode() == "\u2581 f e d\n"
    text, config, trained = tmp_path / "text", tmp_path / "small.toml", tmp_path / "lm.safetensors"
    text.write_text("fed cab\n" * 20, "utf-8")
    config.write_text("[model]\nembedding = 8\nhidden = 8\n", "utf-8")
    run = run_seqtrans(
        "train", "--task", "lm", "--train", text, "--dev", text, "--subwords", model,
        "--cell", "lstm", "--config", config, "--max-steps", 2, "--threads", 1,
        "-o", trained,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    assert json.loads(run_seqtrans("inspect", trained, "--json").stdout)["architecture"]["cell"] == "lstm"
