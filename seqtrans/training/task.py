"""The interface between the training loop and the kinds of models: batches, their loss, validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from seqtrans.device import Compute
from seqtrans.model.trained import TrainedModel
from seqtrans.training.validation import Validation


class AnyBatch(Protocol):
    """The examples of one update."""

    @property
    def target_tokens(self) -> int:
        """Number of predictions, without padding."""
        ...

    def to(self, device: torch.device) -> AnyBatch:
        """The same batch on a device."""
        ...


class Task(Protocol):
    """A model to train, and its data."""

    model: TrainedModel
    digests: dict[str, str]
    """SHA-256 of each corpus file and subword model."""
    epoch_steps: int
    size: str
    """The size of the training data, for a message."""

    def batch(self, epoch: int, number: int) -> AnyBatch:
        """Batch `number` of an epoch, always the same for the same arguments."""
        ...

    def loss(self, network: Any, batch: Any, smoothing: float) -> tuple[Tensor, Tensor]:
        """The sums over the predictions of the smoothed loss and of -log p(target), in nats."""
        ...

    def validate(self, compute: Compute, metric: str, check: Callable[[], None]) -> Validation:
        """Measure the model on the development text; `check` is called often, and may raise to stop."""
        ...

    def carried(self) -> list[Tensor]:
        """The state that the last batch hands to the next one."""
        ...

    def restore_carried(self, tensors: list[Tensor]) -> None:
        """Restore what `carried` returned."""
        ...

    def model_to_save(self) -> TrainedModel:
        """`model` with all parts that its file has and training does not need."""
        ...

    def history(self) -> dict[str, Any]:
        """Facts about the data for the model file."""
        ...

    def where(self, batch: Any) -> str:
        """The place of a batch in the data, for an error message."""
        ...
