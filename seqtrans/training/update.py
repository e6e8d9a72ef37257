"""One step of gradient descent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from seqtrans.config import TrainingConfig
from seqtrans.device import Compute
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.randomness import derived_seed
from seqtrans.text.batches import Batch
from seqtrans.training.average import WeightAverage
from seqtrans.training.objective import batch_loss

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

    def __init__(self, network: Seq2Seq, config: TrainingConfig, compute: Compute) -> None:
        self.network, self.config, self.compute = network, config, compute
        self.average = WeightAverage(network, config.ema)
        self.optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=config.learning_rate,
            betas=BETAS,
            weight_decay=config.weight_decay,
            fused=True,
        )

    def step(self, batch: Batch, number: int, learning_rate: float) -> Update:
        """Update number `number`, from 1; weights stay as they are where the result is not finite."""
        self.network.train()
        torch.manual_seed(derived_seed(self.config.seed, "dropout", number))
        self.optimizer.zero_grad()
        with self.compute.arithmetic():
            smoothed, plain = batch_loss(self.network, batch, self.config.label_smoothing)
        (smoothed / batch.target_tokens).backward()
        update = Update(float(plain) / batch.target_tokens, self._clip())
        if update.is_finite():
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate
            self.optimizer.step()
            self.average.update(number)
        return update

    def _clip(self) -> float:
        """Scale the gradients down to the configured norm; the norm before (Pascanu et al. 2013, section 3.2)."""
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        norm = float(torch.stack(torch._foreach_norm(gradients)).norm())
        if 0 < self.config.clip_norm < norm:  # most updates need none, and are spared a pass over all gradients
            torch._foreach_mul_(gradients, self.config.clip_norm / norm)
        return norm
