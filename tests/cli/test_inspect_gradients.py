"""`seqtrans inspect --gradients` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from seqtrans.config.schema import Config, ModelConfig, TrainingConfig
from seqtrans.model.file import save_model
from seqtrans.model.trained import TrainedModel, build_network
from seqtrans.text.subword_training import learn_subwords
from tests.conftest import RunSeqtrans


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With fresh weights, two layers of an LSTM, and letters for subwords."""
    torch.default_generator.manual_seed(91)
    letters = learn_subwords(["abc def", "fed cba"], "char", 100)
    model = ModelConfig(task="lm", cell="lstm", embedding=6, hidden=8)
    config = Config(model=model, training=TrainingConfig(metric="loss", bptt=10))
    path = tmp_path_factory.mktemp("gradients") / "lm.safetensors"
    save_model(path, TrainedModel(config, build_network(config, letters, letters), letters, letters))
    return path


def test_a_table_and_a_chart(language_model: Path, tmp_path: Path, run_seqtrans: RunSeqtrans) -> None:
    chart = tmp_path / "gradients.svg"
    text = b"abc\n\n  \n" + 9 * b"fed cba" + b"\nf" + 600 * b"a" + b"\n"
    run = run_seqtrans("inspect", "--gradients", language_model, "--chart", chart, input=text)
    assert run.returncode == 0, run.stderr.decode()
    head, *rows = [line.split() for line in run.stdout.decode().splitlines()]
    assert head == ["distance", "lines", "layer", "1", "layer", "2"]
    shown = {int(row[0]): int(row[1]) for row in rows}
    assert shown == {0: 3, 1: 3, 2: 3, 5: 2, 10: 2, 20: 2, 50: 2, 100: 1, 200: 1, 500: 1}
    norms = [float(row[2]) for row in rows]
    assert norms == sorted(norms, reverse=True)
    assert norms[-1] < 1e-7 < norms[0]
    said = run.stderr.decode().splitlines()
    assert said == [
        "seqtrans: warning: <stdin>:5: 1 line(s) longer than 500 subwords, the rest left out",
        "seqtrans: warning: <stdin>: 2 line(s) left out that are blank, or blank on one side",
    ]
    assert chart.read_text("utf-8").count("<polyline") == 2
    facts = json.loads(run_seqtrans("inspect", language_model, "--gradients", "--json", input=text).stdout)
    assert (facts["lines"], facts["blank"], len(facts["distances"])) == (3, 2, 501)
    assert facts["distances"][20]["norms"][0] == pytest.approx(norms[5], rel=1e-3)


def test_of_a_translator_the_target_counts(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("inspect", "--gradients", tiny_model, "--json", input=b"one two\tzwei eins\nnine\tneun\n")
    assert run.returncode == 0, run.stderr.decode()
    assert [row["lines"] for row in json.loads(run.stdout)["distances"]] == [2, 2, 1]


def test_what_cannot_work_is_refused_in_one_line(
    language_model: Path, tiny_model: Path, tmp_path: Path, run_seqtrans: RunSeqtrans
) -> None:
    for words, text, code, reason in (
        ([tiny_model, "--gradients"], b"one\teins\none two\n", 65, "<stdin>:2: has 0 TABs; one between"),
        ([language_model, "--gradients"], b"\n \n", 65, "<stdin>: there are no lines to measure but 2 blank ones"),
        ([language_model, "--gradients"], b"", 65, "<stdin>: there are no lines to measure\n"),
        ([language_model, "--gradients", "--chart", tmp_path / "no" / "x.svg"], b"a\n", 74, "cannot be written"),
        ([language_model, "--gradients", "--chart", language_model], b"a\n", 2, "would be overwritten"),
        ([language_model, "--chart", tmp_path / "x.svg"], b"", 2, "--chart goes with --gradients"),
    ):
        run = run_seqtrans("inspect", *words, input=text)
        assert run.returncode == code, words
        assert reason in run.stderr.decode()
        assert run.stderr.count(b"\n") == 1
        assert not run.stdout
