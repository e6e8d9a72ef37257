"""Stopping and going on, to the bit.

A checkpoint holds weights, optimiser, average and subwords, and where in the data training stands. Random numbers need
no state: those of a step follow from the seed and the step (`seqtrans.randomness`). The folder that holds checkpoints
also keeps the best model, so that a training goes on whatever became of its output.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from torch import Tensor

from seqtrans.config import Config
from seqtrans.errors import DataError, StreamError, UsageError
from seqtrans.model.container import read_sealed, write_sealed
from seqtrans.model.file import SOURCE_SUBWORDS, subwords_from
from seqtrans.text.subwords import SubwordModel

KIND = "seqtrans checkpoint"


def beside(output: Path, ending: str) -> Path:
    """The path of something that belongs to a model file: its name with another ending."""
    return output.with_name(output.name.removesuffix(".safetensors") + ending)


@dataclass
class Position:
    """Where a training stands."""

    step: int = 0
    """Updates done."""
    epoch: int = 0
    """Epochs finished."""
    batch: int = 0
    """Batches done of the epoch under way."""
    seconds: float = 0.0
    """Time spent in all, also by earlier processes."""
    tokens: int = 0
    """Target subwords seen."""
    validated: int = 0
    """The step of the last validation."""
    best_score: float | None = None
    best_step: int = 0
    stale: int = 0
    """Validations since the best one."""
    log_bytes: int = 0
    """The length of the log so far."""
    finished: bool = False
    """Whether a budget was spent, rather than a signal received."""


@dataclass(frozen=True)
class Checkpoint:
    """Everything that decides how a training goes on."""

    config: Config
    position: Position
    digests: dict[str, str]
    """SHA-256 of corpus files and subword models."""
    tensors: dict[str, Tensor]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors of one part: weights or average, by parameter name."""
        start = f"{name}."
        return {key.removeprefix(start): tensor for key, tensor in self.tensors.items() if key.startswith(start)}

    def subwords(self) -> tuple[SubwordModel, SubwordModel] | None:
        """The subword models of both sides, where the checkpoint has them."""
        if SOURCE_SUBWORDS not in self.tensors:
            return None
        return subwords_from(dict(self.tensors), "checkpoint")


class StateFolder:
    """`model.state/` beside `model.safetensors`: two checkpoints, the best and the last model, and a lock."""

    def __init__(self, output: Path) -> None:
        self.path = beside(output, ".state")
        self.last = self.path / "last.safetensors"
        self.previous = self.path / "previous.safetensors"
        self._next = self.path / "next.safetensors"
        self.best_model = self.path / "best-model.safetensors"
        self.last_model = self.path / "last-model.safetensors"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one training at a time has this output.

        Raises:
            StreamError: another process has it, or the folder cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StreamError(f"{self.path}: cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StreamError(
                f"{self.path}: another training writes there; wait for it, or choose another -o"
            ) from None
        try:
            yield
        finally:
            os.close(descriptor)

    def exists(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return self.last.exists() or self.previous.exists()

    def clear(self) -> None:
        """Forget the checkpoints of an earlier training."""
        for path in (self.last, self.previous, self._next, self.best_model, self.last_model):
            path.unlink(missing_ok=True)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint; the one before stays, under its other name.

        Raises:
            StreamError: it cannot be written; the earlier ones are whole.
        """
        document = {
            "config": checkpoint.config.to_dict(),
            "position": asdict(checkpoint.position),
            "digests": checkpoint.digests,
        }
        # only when the new one is whole on the disk do the others change their names
        write_sealed(self._next, KIND, document, checkpoint.tensors)
        if self.last.exists():
            self.last.replace(self.previous)
        self._next.replace(self.last)

    def load(self, warn: Callable[[str], None]) -> Checkpoint:
        """The last checkpoint that is whole; `warn` is told when that is not the last one.

        Raises:
            DataError: none is whole.
            StreamError: none can be read.
        """
        try:
            return _read(self.last)
        except (DataError, StreamError) as error:
            if not self.previous.exists():
                raise
            damaged = isinstance(error, DataError)
            warn(f"warning: {error}; going on from the checkpoint before it")
            checkpoint = _read(self.previous)
            if damaged:
                self.last.unlink()  # it must not take the place of the good one at the next save
            return checkpoint


def _read(path: Path) -> Checkpoint:
    document, tensors = read_sealed(path, KIND)
    try:
        config = Config().updated(document["config"], str(path))
        values = document["position"]
        position = Position(**{f.name: values[f.name] for f in fields(Position)})
        return Checkpoint(config, position, dict(document["digests"]), tensors)
    except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
        raise DataError(f"{path}: the checkpoint does not fit this version of seqtrans: {error}") from None


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: list[str]) -> dict[str, Tensor]:
    """The optimiser's memory, by parameter name."""
    tensors = {}
    for name, parameter in zip(names, _parameters(optimizer), strict=True):
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{key}.{name}"] = value
    return tensors


def restore_optimizer(optimizer: torch.optim.Optimizer, names: list[str], tensors: dict[str, Tensor]) -> None:
    """Put the memory back that `optimizer_tensors` took out."""
    for name, parameter in zip(names, _parameters(optimizer), strict=True):
        state = {}
        for key in ("step", "exp_avg", "exp_avg_sq"):
            if f"optimizer.{key}.{name}" in tensors:
                state[key] = tensors[f"optimizer.{key}.{name}"].to(parameter.device)
        if state:
            optimizer.state[parameter] = state


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
