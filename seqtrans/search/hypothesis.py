"""The input and the output of a search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Hypothesis:
    """One translation as subword ids, without BOS and EOS."""

    tokens: list[int]
    score: float
    """What hypotheses are ranked by; see `Ranking`."""
    log_prob: float
    """Sum of the natural log-probabilities, EOS included."""
    token_log_probs: list[float]
    """The natural log-probability of each token, then that of EOS."""
    attention: Tensor | None
    """Attention weights [T, S] of T tokens over S source positions, EOS included; zeros if the model has no attention.
    None if they are not kept (`SearchOptions.keeps_attention`)."""


def no_hypothesis(positions: int | None) -> Hypothesis:
    """The result of a search in which no hypothesis can end: all subwords are forbidden, or all scores are NaN.

    `positions` is the number of source positions if attention weights are kept, else None.
    """
    return Hypothesis([], -math.inf, -math.inf, [], None if positions is None else torch.zeros(0, positions))


@dataclass(frozen=True)
class Request:
    """One sentence to translate, as subword ids without BOS and EOS."""

    source: Sequence[int]
    prefix: Sequence[int] = ()
    """Every hypothesis begins with these subwords."""
    required: Sequence[Sequence[int]] = ()
    """Every hypothesis contains these phrases. Each has at least one subword."""
    sample: int = 0
    """The number, from 0, of this sample of the sentence; only for sampling."""
