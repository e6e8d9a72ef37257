"""`seqtrans average`: one model of several."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from seqtrans.model.file import load_model
from seqtrans.model.weights import weights_of
from tests.conftest import RunSeqtrans, dev_of

Text = tuple[Path, Path]


@pytest.fixture(scope="module")
def later(
    tiny_model: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:  # fmt: skip
    """Another training with the same subwords."""
    model = tmp_path_factory.mktemp("later") / "later.safetensors"
    run = run_seqtrans(
        "train", "--train", *parallel_text, "--dev", *dev_of(parallel_text), "-o", model, "--config", tiny_config,
        "--subwords", tiny_model, "--max-steps", 5, "--threads", 1,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    return model


def test_the_mean_of_weights(tiny_model: Path, later: Path, run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    run = run_seqtrans("average", tiny_model, later, later, "-o", tmp_path / "mean.safetensors")
    assert run.returncode == 0, run.stderr.decode()
    one, other, mean = (load_model(path) for path in (tiny_model, later, tmp_path / "mean.safetensors"))
    for name, weight in weights_of(mean.network).items():
        expected = (weights_of(one.network)[name].double() + 2 * weights_of(other.network)[name].double()) / 3
        torch.testing.assert_close(weight, expected.float(), rtol=0, atol=1e-7)
    assert mean.history["average_of"] == 3
    assert mean.history["training_pairs"] == one.history["training_pairs"]
    assert mean.length_ratio == one.length_ratio >= 1.2
    assert "steps" not in mean.history
    assert "dev" not in mean.history


def test_the_mean_of_a_model_and_itself_translates_as_it_does(
    tiny_model: Path, run_seqtrans: RunSeqtrans, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.safetensors"
    shutil.copy(tiny_model, copy)
    assert run_seqtrans("average", tiny_model, copy, "-o", tmp_path / "mean.safetensors").returncode == 0
    mean, one = (
        run_seqtrans("translate", "-m", model, input=b"one two\nthree\n").stdout
        for model in (tmp_path / "mean.safetensors", tiny_model)
    )
    assert mean == one


def test_what_has_no_mean_is_refused(
    tiny_model: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans, tmp_path: Path
) -> None:
    other = tmp_path / "other.safetensors"
    run = run_seqtrans(
        "train", "--train", *parallel_text, "--dev", *parallel_text, "-o", other, "--config", tiny_config,
        "--subwords", tiny_model, "--cell", "gru", "--max-steps", 2, "--threads", 1,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    for models, output, words in (
        ((tiny_model, other), tmp_path / "mean", b"architecture"),
        ((tiny_model,), tmp_path / "mean", b"two models"),
        ((other, tiny_model), other, b"one of the models"),
    ):
        before = other.read_bytes()
        run = run_seqtrans("average", *models, "-o", output)
        assert run.returncode == 2
        assert words in run.stderr
        assert run.stderr.count(b"\n") == 1
        assert not (tmp_path / "mean").exists()
        assert other.read_bytes() == before
