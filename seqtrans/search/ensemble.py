"""An ensemble: several models that translate together.

Shapes: M models, S source steps, B sentences, N rows, V target vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.model.shortlist import CandidateIds
from seqtrans.model.tensors import at_least_float32
from seqtrans.search.scorer import SearchState, StepScorer


@dataclass(frozen=True)
class EnsembleState:
    """The state of every model."""

    parts: tuple[SearchState, ...]

    def select(self, rows: Tensor | None, sentences: Tensor | None = None) -> EnsembleState:
        """See `SearchState`."""
        return EnsembleState(tuple(part.select(rows, sentences) for part in self.parts))

    def join(self, other: EnsembleState) -> EnsembleState:
        """See `SearchState`."""
        return EnsembleState(tuple(a.join(b) for a, b in zip(self.parts, other.parts, strict=True)))


class EnsembleScorer:
    """Averages the predictions of several scorers with the same vocabularies.

    The mean is of their probabilities or, with `logarithms`, of their log-probabilities. The mean of log-probabilities
    is low for a subword that any one model finds improbable. It is not normalised.
    """

    def __init__(self, scorers: Sequence[StepScorer], logarithms: bool = False) -> None:
        self.scorers, self.logarithms = scorers, logarithms

    def start(self, source_SB: Tensor, lengths_B: Tensor, candidates: CandidateIds | None = None) -> EnsembleState:
        """See `StepScorer`."""
        return EnsembleState(tuple(scorer.start(source_SB, lengths_B, candidates) for scorer in self.scorers))

    def step(self, ids_N: Tensor, state: EnsembleState) -> tuple[Tensor, EnsembleState, Tensor]:
        """See `StepScorer`. The attention weights are the mean over all models."""
        outputs = [scorer.step(ids_N, part) for scorer, part in zip(self.scorers, state.parts, strict=True)]
        log_probs_MNV = torch.stack([at_least_float32(log_probs) for log_probs, _, _ in outputs])
        if self.logarithms:
            mean = log_probs_MNV.mean(dim=0)
        else:
            mean = (log_probs_MNV.logsumexp(dim=0) - math.log(len(outputs))).clamp_(max=0)
        weights = torch.stack([weights for _, _, weights in outputs]).mean(dim=0)
        return mean, EnsembleState(tuple(after for _, after, _ in outputs)), weights
