"""Which models are asked, and how what they say is put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from seqtrans.errors import UsageError
from seqtrans.model.file import TrainedModel
from seqtrans.search.ensemble import EnsembleScorer
from seqtrans.search.fusion import FusionScorer
from seqtrans.search.scorer import ModelScorer, StepScorer
from seqtrans.settings import bounded, one_of


@dataclass(frozen=True)
class Combination:
    """Settings."""

    ensemble: str = one_of("probabilities", "probabilities", "log-probabilities")
    """What the mean is taken of where there are several models."""
    lm_weight: float = bounded(0.2, 0, 10)
    """Of the language model, where there is one."""


def combined(
    models: Sequence[TrainedModel], language: TrainedModel | None, how: Combination, device: torch.device
) -> StepScorer:
    """One scorer of all models, which share their vocabularies.

    Raises:
        UsageError: they do not, or a model is not what it is used as.
    """
    first = models[0]
    for number, model in enumerate(models[1:], start=2):
        if side := model.other_subwords(first):
            raise UsageError(f"model {number} has other {side} subwords than the first: they cannot work together")
    scorers = [ModelScorer(model.seq2seq.to(device)) for model in models]
    scorer: StepScorer = scorers[0]
    if len(scorers) > 1:
        scorer = EnsembleScorer(scorers, logarithms=how.ensemble == "log-probabilities")
    if language is not None:
        if language.target_subwords.digest != first.target_subwords.digest:
            raise UsageError(
                "the language model has other subwords than the translator's target side: "
                "train it with --subwords and the translator's file"
            )
        scorer = FusionScorer(scorer, language.language_model.to(device), how.lm_weight)
    return scorer
