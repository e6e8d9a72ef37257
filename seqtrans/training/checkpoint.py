"""Checkpoints, from which a training is resumed with the same result to the bit.

A checkpoint holds weights, optimiser state, moving average, subwords, shortlist, the recurrent state that a language
model carries from batch to batch, and the position in the data. Random numbers need no state: those of a step follow
from the seed and the step (`seqtrans.randomness`). The folder that holds the checkpoints also keeps the best model, so
that a training can be resumed even if its output was deleted.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqtrans.config.schema import Config
from seqtrans.errors import DataError, StreamError, UsageError, excerpt
from seqtrans.io.container import read_sealed, write_sealed
from seqtrans.model.file import MESSAGE_LENGTH, SOURCE_SUBWORDS, subwords_from
from seqtrans.model.shortlist import Shortlist, shortlist_from
from seqtrans.text.subwords import SubwordModel

_logger = logging.getLogger(__name__)

KIND = "seqtrans checkpoint"


def beside(output: Path, ending: str) -> Path:
    """The path of a file or folder that belongs to a model: the model's name with another ending."""
    return output.with_name(output.name.removesuffix(".safetensors") + ending)


@dataclass
class Position:
    """How far a training is, and its best score so far."""

    step: int = 0
    """Completed updates."""
    epoch: int = 0
    """Completed epochs."""
    batch: int = 0
    """Completed batches of the current epoch."""
    seconds: float = 0.0
    """Time spent, by earlier processes too."""
    tokens: int = 0
    """Target subwords trained on."""
    validated: int = 0
    """The step of the last validation."""
    best_score: float | None = None
    best_loss: float | None = None
    """The development loss of the best model."""
    best_step: int = 0
    stale: int = 0
    """Validations since the best one."""
    log_bytes: int = 0
    """The length of the log so far."""
    finished: bool = False
    """Whether the training reached its end, and was not stopped by a signal."""


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the rest of a training depends on."""

    config: Config
    position: Position
    digests: dict[str, str]
    """SHA-256 of corpus files and subword models, by role, such as "source of the training text"."""
    tensors: dict[str, Tensor]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors of one part: `weights` or `average` by parameter name, `carried` by number."""
        start = f"{name}."
        return {key.removeprefix(start): tensor for key, tensor in self.tensors.items() if key.startswith(start)}

    def subwords(self) -> tuple[SubwordModel, SubwordModel] | None:
        """The subword models of both sides, where the checkpoint has them."""
        if SOURCE_SUBWORDS not in self.tensors:
            return None
        return subwords_from(dict(self.tensors), "checkpoint")

    def shortlist(self, source: SubwordModel, target: SubwordModel) -> Shortlist | None:
        """The shortlist for these subwords, where the checkpoint has one."""
        try:
            return shortlist_from(dict(self.tensors), source.size, target.size)
        except ValueError:
            return None


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
        """Inside the block, no other training can use this output. A folder that stays empty is removed after it.

        Raises:
            StreamError: another training uses it, or the folder cannot be written.
        """
        lock = self.path / "lock"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StreamError(f"{self.path}: cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(descriptor, lock):  # the training that had it has just removed it
                raise FileNotFoundError
        except OSError:
            os.close(descriptor)
            raise StreamError(
                f"{self.path}: another training writes there; wait for it, or choose another -o"
            ) from None
        try:
            yield
        finally:
            if list(self.path.iterdir()) == [lock]:  # the training failed before its first checkpoint
                with suppress(OSError):
                    lock.unlink()
                    self.path.rmdir()
            os.close(descriptor)

    def exists(self) -> bool:
        """Whether there is a checkpoint to resume from."""
        return self.last.exists() or self.previous.exists()

    def clear(self) -> None:
        """Delete the checkpoints and models of an earlier training."""
        for path in (self.last, self.previous, self._next, self.best_model, self.last_model):
            path.unlink(missing_ok=True)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint; the previous one is kept under another name.

        Raises:
            StreamError: it cannot be written; the earlier ones are whole.
        """
        document = {
            "config": checkpoint.config.to_dict(),
            "position": asdict(checkpoint.position),
            "digests": checkpoint.digests,
        }
        # the others are renamed only after the new one is completely on the disk
        write_sealed(self._next, KIND, document, checkpoint.tensors)
        if self.last.exists():
            self.last.replace(self.previous)
        self._next.replace(self.last)

    def load(self) -> Checkpoint:
        """The last checkpoint, or the one before it with a warning where the last is damaged.

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
            _logger.warning(f"{error}; resuming from the checkpoint before it")
            checkpoint = _read(self.previous)
            if damaged:
                self.last.unlink()  # it must not take the place of the good one at the next save
            return checkpoint


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still has this path."""
    return path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())


def _read(path: Path) -> Checkpoint:
    document, tensors = read_sealed(path, KIND)
    try:
        config = Config.from_dict(document["config"], "config")
        return Checkpoint(config, _position(document["position"]), _digests(document["digests"]), tensors)
    except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
        reason = excerpt(error, MESSAGE_LENGTH)
        raise DataError(f"{path}: the checkpoint does not fit this version of seqtrans: {reason}") from None


_POSITION_TYPES = {
    "seconds": (int, float),
    "best_score": (float, type(None)),
    "best_loss": (float, type(None)),
    "finished": (bool,),
}
"""Of fields that are not whole numbers."""


def _position(values: Any) -> Position:
    """The position that a document holds.

    Raises:
        KeyError, TypeError, ValueError: a field is missing, or its value cannot be.
    """
    position = Position(**{f.name: values[f.name] for f in fields(Position)})
    for name, value in asdict(position).items():
        if type(value) not in _POSITION_TYPES.get(name, (int,)):
            raise TypeError(f"position: {name} cannot be {excerpt(value)}")
        if name not in ("best_score", "best_loss") and not 0 <= value < 2**63:
            raise ValueError(f"position: {name} is out of range")
    return position


def _digests(values: Any) -> dict[str, str]:
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise TypeError("digests must be an object with strings as values")
    return values


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: list[str]) -> dict[str, Tensor]:
    """The optimiser's state, by parameter name."""
    tensors = {}
    for name, parameter in zip(names, _parameters(optimizer), strict=True):
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{key}.{name}"] = value
    return tensors


def restore_optimizer(optimizer: torch.optim.Optimizer, names: list[str], tensors: dict[str, Tensor]) -> None:
    """Restore the state that `optimizer_tensors` returned."""
    for name, parameter in zip(names, _parameters(optimizer), strict=True):
        state = {}
        for key in ("step", "exp_avg", "exp_avg_sq"):
            if f"optimizer.{key}.{name}" in tensors:
                state[key] = tensors[f"optimizer.{key}.{name}"].to(parameter.device)
        if state:
            optimizer.state[parameter] = state


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
