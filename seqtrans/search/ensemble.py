"""Several models that translate together.

Shapes: M models, S source steps, B sentences, N rows, V target vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.model.parts import widened
from seqtrans.model.shortlist import CandidateIds
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
    """The mean of what several scorers say of the same vocabularies: of their probabilities or, with
    `logarithms`, of their log-probabilities, which is what must please all of them.
    """

    def __init__(self, scorers: Sequence[StepScorer], logarithms: bool = False) -> None:
        self.scorers, self.logarithms = scorers, logarithms

    def start(self, source_SB: Tensor, lengths_B: Tensor, candidates: CandidateIds | None = None) -> EnsembleState:
        """See `StepScorer`."""
        return EnsembleState(tuple(scorer.start(source_SB, lengths_B, candidates) for scorer in self.scorers))

    def step(self, ids_N: Tensor, state: EnsembleState) -> tuple[Tensor, EnsembleState, Tensor]:
        """See `StepScorer`; attention weights are the mean of those of all."""
        found = [scorer.step(ids_N, part) for scorer, part in zip(self.scorers, state.parts, strict=True)]
        log_probs_MNV = torch.stack([widened(log_probs) for log_probs, _, _ in found])
        if self.logarithms:
            mean = log_probs_MNV.mean(dim=0)
        else:
            mean = (log_probs_MNV.logsumexp(dim=0) - math.log(len(found))).clamp_(max=0)
        weights = torch.stack([weights for _, _, weights in found]).mean(dim=0)
        return mean, EnsembleState(tuple(after for _, after, _ in found)), weights
