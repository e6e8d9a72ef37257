"""One step of gradient descent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seqtrans.config import TrainingConfig
from seqtrans.device import Compute
from seqtrans.model.file import Network
from seqtrans.randomness import derived_seed
from seqtrans.training.average import WeightAverage
from seqtrans.training.task import AnyBatch

Loss = Callable[[Any, Any, float], tuple[Tensor, Tensor]]
"""A network, a batch and the label smoothing -> see `Task.loss`."""

BETAS = (0.9, 0.998)


@dataclass(frozen=True)
class Update:
    """What an update found."""

    loss: float
    """Nats a target subword, without label smoothing."""
    gradient_norm: float
    """Before clipping."""

    def is_finite(self) -> bool:
        """Whether the weights may be trusted after it."""
        return math.isfinite(self.loss) and math.isfinite(self.gradient_norm)


class Updater:
    """A network, its optimiser (Adam, Kingma & Ba 2015) and the moving average of its weights."""

    def __init__(self, network: Network, config: TrainingConfig, compute: Compute) -> None:
        self.network, self.config, self.compute = network, config, compute
        self.average = WeightAverage(network, config.ema)
        self.optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=config.learning_rate,
            betas=BETAS,
            weight_decay=config.weight_decay,
            fused=True,
        )

    def step(self, batch: AnyBatch, number: int, learning_rate: float, loss: Loss) -> Update:
        """Update number `number`, from 1; weights stay as they are where the result is not finite."""
        self.network.train()
        torch.manual_seed(derived_seed(self.config.seed, "dropout", number))
        self.optimizer.zero_grad()
        with self.compute.arithmetic():
            smoothed, plain = loss(self.network, batch, self.config.label_smoothing)
        (smoothed / batch.target_tokens).backward()
        update = Update(float(plain) / batch.target_tokens, self._clip())
        if update.is_finite():
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate
            self.optimizer.step()
            self.average.update(number)
        return update

    def _clip(self) -> float:
        """Cut the gradients' numbers, then scale to the configured norm (Pascanu et al. 2013, section 3.2).

        Returns the norm before it is scaled.
        """
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        if self.config.clip_value:
            torch._foreach_clamp_min_(gradients, -self.config.clip_value)
            torch._foreach_clamp_max_(gradients, self.config.clip_value)
        norm = float(torch.stack(torch._foreach_norm(gradients)).norm())
        if 0 < self.config.clip_norm < norm:  # most updates need none, and are spared a pass over all gradients
            torch._foreach_mul_(gradients, self.config.clip_norm / norm)
        return norm
