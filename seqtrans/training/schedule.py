"""The learning rate over the course of a training."""

from __future__ import annotations

import math

from seqtrans.config.schema import TrainingConfig

FLOOR = 0.01
"""The share of the learning rate at which a decay ends."""


def learning_rate(config: TrainingConfig, step: int, progress: float) -> float:
    """The rate of update `step` (from 1), when `progress` of the budget, 0 to 1, has been used.

    Linear warm-up, then the chosen decay. The budget is whichever of steps, epochs and time is nearest to its end.
    """
    warmup = min(1.0, step / config.warmup_steps) if config.warmup_steps else 1.0
    if config.decay == "inverse-sqrt":
        # Vaswani et al. 2017, section 5.3
        return config.learning_rate * min(warmup, math.sqrt(max(config.warmup_steps, 1) / step))
    if config.decay == "constant":
        return config.learning_rate * warmup
    left = 1 - min(progress, 1.0)
    factor = left if config.decay == "linear" else (1 + math.cos(math.pi * (1 - left))) / 2
    return config.learning_rate * warmup * (FLOOR + (1 - FLOOR) * factor)
