"""What the networks have in common."""

from __future__ import annotations

import torch
from torch import nn


def embedding(size: int, units: int) -> nn.Parameter:
    """Normal with variance 1/E, so that tied output scores start near a variance of 1."""
    return nn.Parameter(torch.randn(size, units) * units**-0.5)
