"""Stopping and going on: everything comes back, or the checkpoint is refused."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from seqtrans.config.schema import Config, ModelConfig, TrainingConfig
from seqtrans.errors import DataError, StreamError
from seqtrans.io.container import read_sealed, write_sealed
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.model.weights import weights_of
from seqtrans.training.checkpoint import (
    KIND,
    Checkpoint,
    Position,
    StateFolder,
    optimizer_tensors,
    restore_optimizer,
)
from seqtrans.training.moving_average import MovingAverage

POSITION = Position(17, 2, 3, 4.5, 678, 16, 0.25, 2.5, 8, 5, 901, True)
CONFIG = Config(model=ModelConfig(cell="gru", hidden=8), training=TrainingConfig(seed=3))


def checkpoint(mark: float = 1.0) -> Checkpoint:
    weight = torch.full((3, 2), mark)
    tensors = {"weights.w": weight, "average.w": -weight, "weights.v": torch.ones(2)}
    return Checkpoint(CONFIG, POSITION, {"train a": "0f", "source subwords": "1e"}, tensors)


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    found = StateFolder(tmp_path / "model.safetensors")
    found.path.mkdir()
    return found


def mark_of(found: Checkpoint) -> float:
    return float(found.tensors["weights.w"][0, 0])


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_round_trip(folder: StateFolder, caplog: pytest.LogCaptureFixture) -> None:
    assert not folder.exists()
    folder.save(checkpoint())
    assert folder.exists()
    found = folder.load()
    assert (found.config, found.position, found.digests) == (CONFIG, POSITION, checkpoint().digests)
    assert found.part("weights").keys() == {"w", "v"}
    assert torch.equal(found.part("average")["w"], checkpoint().tensors["average.w"])
    assert all(torch.equal(found.tensors[name], t) for name, t in checkpoint().tensors.items())
    assert not caplog.records
    assert len({getattr(POSITION, f.name) for f in fields(Position)}) == len(fields(Position))  # no two mixed up unseen


def test_the_checkpoint_before_is_kept_and_used_when_the_last_is_damaged(
    folder: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    for mark in (1, 2, 3):
        folder.save(checkpoint(mark))
    assert mark_of(folder.load()) == 3
    damage(folder.last)
    assert mark_of(folder.load()) == 2
    assert len(caplog.records) == 1
    assert caplog.records[0].levelname == "WARNING"
    assert str(folder.last) in caplog.messages[0]
    assert "resuming from the checkpoint before it" in caplog.messages[0]


def test_a_missing_last_checkpoint_is_replaced_by_the_one_before(
    folder: StateFolder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.save(checkpoint(1))
    folder.save(checkpoint(2))
    folder.last.unlink()
    assert folder.exists()
    assert mark_of(folder.load()) == 1
    assert len(caplog.records) == 1


def test_two_damaged_checkpoints_are_an_error(folder: StateFolder) -> None:
    folder.save(checkpoint(1))
    damage(folder.last)
    with pytest.raises(DataError, match="damaged"):
        folder.load()
    folder.save(checkpoint(2))
    damage(folder.last)
    with pytest.raises(DataError, match="damaged"):
        folder.load()


def save_on_a_full_disk(folder: StateFolder) -> None:
    """A save that the kernel stops half way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(StreamError, match="cannot be written"):
            folder.save(checkpoint(9))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_save_that_fails_leaves_a_whole_checkpoint(folder: StateFolder, caplog: pytest.LogCaptureFixture) -> None:
    save_on_a_full_disk(folder)
    assert not folder.exists()
    folder.save(checkpoint(1))
    folder.save(checkpoint(2))
    for _ in range(2):
        save_on_a_full_disk(folder)
        assert mark_of(folder.load()) == 2
    assert not caplog.records
    assert {entry.name for entry in folder.path.iterdir()} == {"last.safetensors", "previous.safetensors"}


def test_the_good_checkpoint_outlives_a_save_that_fails_after_a_fallback(folder: StateFolder) -> None:
    """The damaged one must not take the place of the good one."""
    folder.save(checkpoint(1))
    folder.save(checkpoint(2))
    damage(folder.last)
    assert mark_of(folder.load()) == 1
    save_on_a_full_disk(folder)
    assert mark_of(folder.load()) == 1


def test_clearing_forgets(folder: StateFolder) -> None:
    folder.save(checkpoint(1))
    folder.save(checkpoint(2))
    folder.clear()
    assert not folder.exists()
    folder.clear()


@pytest.mark.parametrize("name", [f.name for f in fields(Position)])
def test_every_field_of_the_position_is_needed(folder: StateFolder, name: str) -> None:
    folder.save(checkpoint())
    document, tensors = read_sealed(folder.last, KIND)
    del document["position"][name]
    write_sealed(folder.last, KIND, document, tensors)
    with pytest.raises(DataError, match=name):
        folder.load()


@pytest.mark.parametrize("name", ["config", "position", "digests"])
@pytest.mark.parametrize("value", ["missing", None, [], "text", 5, [1], {"x": 1}], ids=str)
def test_every_part_of_the_document_is_needed(folder: StateFolder, name: str, value: object) -> None:
    folder.save(checkpoint())
    document, tensors = read_sealed(folder.last, KIND)
    if value == "missing":
        del document[name]
    else:
        document[name] = value
    write_sealed(folder.last, KIND, document, tensors)
    with pytest.raises(DataError) as caught:
        folder.load()
    assert str(folder.last) in str(caught.value)
    assert "\n" not in str(caught.value)


STRANGE = ["1", [], {}, True, -1, 10**400, float("nan"), float("inf"), "\x1b[31m" * 10**5]


@pytest.mark.parametrize("name", [f.name for f in fields(Position)])
def test_a_position_that_cannot_be_is_refused(folder: StateFolder, name: str) -> None:
    folder.save(checkpoint())
    document, tensors = read_sealed(folder.last, KIND)
    possible = {"finished": bool, "best_score": float, "best_loss": float}.get(name, type(None))
    for value in STRANGE:
        if isinstance(value, possible):
            continue
        write_sealed(folder.last, KIND, {**document, "position": {**document["position"], name: value}}, tensors)
        with pytest.raises(DataError, match=f"position: {name}") as caught:
            folder.load()
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < len(str(folder.last)) + 300


HOLD = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_only_one_process_has_an_output(folder: StateFolder) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, folder.path / "lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StreamError, match="another training writes there") as caught, folder.locked():
            pass
        assert str(folder.path) in str(caught.value)
        other.communicate()
    with folder.locked():
        pass
    with folder.locked():  # and it is given back
        pass


def test_the_lock_is_given_back_after_a_failure(folder: StateFolder) -> None:
    def fail() -> None:
        with folder.locked():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with folder.locked():
        pass


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StreamError, match="cannot be written"), StateFolder(tmp_path / "file" / "model").locked():
        pass


def test_outputs_that_differ_have_folders_that_differ(tmp_path: Path) -> None:
    """`-o runs/v1.en-de` and `-o runs/v1.de-en` are two trainings."""
    assert StateFolder(tmp_path / "v1.en-de").path != StateFolder(tmp_path / "v1.de-en").path
    assert StateFolder(tmp_path / "model.safetensors").path == tmp_path / "model.state"


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        torch.default_generator.manual_seed(step)
        optimizer.zero_grad()
        model(torch.randn(5, 4)).square().sum().backward()
        optimizer.step()


@pytest.mark.parametrize("cut", [0, 1, 4])
def test_an_optimiser_goes_on_to_the_bit(folder: StateFolder, cut: int) -> None:
    def begin() -> tuple[nn.Module, torch.optim.Optimizer]:
        torch.default_generator.manual_seed(91)
        model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
        return model, torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.01, fused=True)

    whole, optimizer = begin()
    train(whole, optimizer, range(9))

    first, optimizer = begin()
    names = [name for name, _ in first.named_parameters()]
    train(first, optimizer, range(cut))
    tensors = {f"weights.{n}": p for n, p in first.named_parameters()} | optimizer_tensors(optimizer, names)
    folder.save(Checkpoint(CONFIG, POSITION, {}, tensors))

    second, optimizer = begin()
    found = folder.load()
    with torch.no_grad():
        for name, parameter in second.named_parameters():
            parameter.copy_(found.part("weights")[name])
    restore_optimizer(optimizer, names, found.tensors)
    train(second, optimizer, range(cut, 9))
    for one, other in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("decay", [0.0, 0.998])
def test_weights_and_their_average_fit_into_one_checkpoint(folder: StateFolder, network: Seq2Seq, decay: float) -> None:
    """Also where averaging is off and both are the same memory."""
    parts: dict[str, dict[str, Tensor]] = {
        "weights": weights_of(network),
        "average": MovingAverage(network, decay).weights(),
    }
    tensors = {f"{part}.{name}": t for part, named in parts.items() for name, t in named.items()}
    folder.save(Checkpoint(CONFIG, POSITION, {}, tensors))
    found = folder.load()
    for part, named in parts.items():
        assert found.part(part).keys() == named.keys()
        assert all(torch.equal(found.part(part)[name], t) for name, t in named.items())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_an_error(folder: StateFolder) -> None:
    folder.path.chmod(0o500)
    try:
        with pytest.raises(StreamError):
            folder.save(checkpoint())
    finally:
        folder.path.chmod(0o700)
