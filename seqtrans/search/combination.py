"""One scorer for a search, from one or several translators and a language model."""

from __future__ import annotations

from collections.abc import Sequence

from seqtrans.errors import UsageError
from seqtrans.model.trained import TrainedModel
from seqtrans.search.ensemble import EnsembleScorer
from seqtrans.search.fusion import FusionScorer
from seqtrans.search.options import SearchOptions
from seqtrans.search.scorer import StepScorer


def check_vocabularies(models: Sequence[TrainedModel], language_model: TrainedModel | None) -> None:
    """Make sure that several models can translate together.

    Raises:
        UsageError: they do not share their subwords.
    """
    first = models[0]
    for number, model in enumerate(models[1:], start=2):
        if side := model.differing_side(first):
            raise UsageError(
                f"model {number} has other {side} subwords than the first: "
                "models with different subwords cannot work together"
            )
    if language_model is not None and language_model.target_subwords.digest != first.target_subwords.digest:
        raise UsageError(
            "the language model has other subwords than the translator's target side: "
            "train it with --subwords and the translator's file"
        )


def combined_scorer(
    scorers: Sequence[StepScorer], language_model: TrainedModel | None, options: SearchOptions
) -> StepScorer:
    """One scorer for all translators and the language model, if any. They have equal vocabularies."""
    scorer = scorers[0]
    if len(scorers) > 1:
        scorer = EnsembleScorer(scorers, logarithms=options.ensemble == "log-probabilities")
    if language_model is not None:
        scorer = FusionScorer(scorer, language_model.language_model, options.lm_weight)
    return scorer
