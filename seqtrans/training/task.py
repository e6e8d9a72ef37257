"""What a training loop asks of what is trained: batches, their loss, and how good the model is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from seqtrans.device import Compute
from seqtrans.model.file import TrainedModel
from seqtrans.training.validation import Validation


class AnyBatch(Protocol):
    """What there is to learn from in one update."""

    @property
    def target_tokens(self) -> int:
        """Predictions, padding not counted."""
        ...

    def to(self, device: torch.device) -> AnyBatch:
        """The same on a device."""
        ...


class Task(Protocol):
    """A model to be, and the data to make it from."""

    model: TrainedModel
    digests: dict[str, str]
    """SHA-256 of each corpus file and subword model."""
    epoch_steps: int
    size: str
    """How much there is to learn from, for the user."""

    def batch(self, epoch: int, number: int) -> AnyBatch:
        """Batch `number` of an epoch; the same each time it is asked for."""
        ...

    def loss(self, network: Any, batch: Any, smoothing: float) -> tuple[Tensor, Tensor]:
        """The sums over the predictions of the smoothed loss and of -log p(target), in nats."""
        ...

    def validate(self, compute: Compute, metric: str, check: Callable[[], None]) -> Validation:
        """How good the model is on the development text; `check` may raise to break off."""
        ...

    def carried(self) -> list[Tensor]:
        """What the next batch needs of those before it."""
        ...

    def carry(self, tensors: list[Tensor]) -> None:
        """Put back what `carried` gave."""
        ...

    def history(self) -> dict[str, Any]:
        """What the model file tells of the data."""
        ...

    def where(self, batch: Any) -> str:
        """Where in the data a batch comes from, for an error message."""
        ...
