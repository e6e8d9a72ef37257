"""One step of gradient descent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seqtrans.config.schema import TrainingConfig
from seqtrans.device import Compute
from seqtrans.model.trained import Network
from seqtrans.randomness import derived_seed
from seqtrans.recurrent.seeding import seeded_masks
from seqtrans.training import foreach
from seqtrans.training.moving_average import MovingAverage
from seqtrans.training.task import AnyBatch

Loss = Callable[[Any, Any, float], tuple[Tensor, Tensor]]
"""A function of a network, a batch and the label smoothing, as `Task.loss`."""

BETAS = (0.9, 0.998)
"""Decay of the means of gradients and of their squares; the second as in Vaswani et al. 2017, section 5.3, rounded."""


@dataclass(frozen=True)
class Update:
    """The outcome of one update."""

    loss: float
    """Nats per target subword before the update, without label smoothing."""
    gradient_norm: float
    """After clipping by value, before clipping by norm."""

    def is_finite(self) -> bool:
        """Whether loss and gradient are finite; if not, the weights were left unchanged."""
        return math.isfinite(self.loss) and math.isfinite(self.gradient_norm)


class Updater:
    """A network, its optimiser (AdamW, Loshchilov & Hutter 2019) and the moving average of its weights."""

    def __init__(self, network: Network, config: TrainingConfig, compute: Compute) -> None:
        self.network, self.config, self.compute = network, config, compute
        self.average = MovingAverage(network, config.ema)
        self.optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=config.learning_rate,
            betas=BETAS,
            weight_decay=config.weight_decay,
            fused=True,
        )

    def step(self, batch: AnyBatch, number: int, learning_rate: float, loss: Loss) -> Update:
        """Do update `number` (from 1); the weights stay unchanged where loss or gradient is not finite."""
        self.network.train()
        self.optimizer.zero_grad()
        seed = derived_seed(self.config.seed, "dropout", number)
        with seeded_masks(seed, self.compute.device), self.compute.arithmetic():
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
        """Clip the gradients by value, then by norm (Pascanu et al. 2013, section 3.2).

        Returns the norm between the two.
        """
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        if self.config.clip_value:
            foreach.clamp_(gradients, self.config.clip_value)
        norm = float(torch.stack(foreach.norms(gradients)).norm())
        if 0 < self.config.clip_norm < norm:  # so that most updates need no pass over all gradients
            foreach.scale_(gradients, self.config.clip_norm / norm)
        return norm
