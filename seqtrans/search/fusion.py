"""A translator and a language model of the target language.

Shapes: S source steps, B sentences, N rows, V target vocabulary, C candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.model.language_model import LanguageModel, LanguageState
from seqtrans.model.parts import widened
from seqtrans.model.shortlist import CandidateIds
from seqtrans.search.scorer import SearchState, StepScorer
from seqtrans.text.subwords import BOS_ID, EOS_ID


@dataclass(frozen=True)
class FusionState:
    """The translator's state, and what the language model has read of each row."""

    translation: SearchState
    language: LanguageState
    candidates: CandidateIds | None

    def select(self, rows: Tensor | None, sentences: Tensor | None = None) -> FusionState:
        """See `SearchState`."""
        language = self.language if rows is None else self.language.select(rows)
        candidates = self.candidates
        if candidates is not None and sentences is not None:
            candidates = candidates.select(sentences)
        return FusionState(self.translation.select(rows, sentences), language, candidates)

    def join(self, other: FusionState) -> FusionState:
        """See `SearchState`."""
        candidates = None
        if self.candidates is not None and other.candidates is not None:
            candidates = self.candidates.join(other.candidates)
        return FusionState(self.translation.join(other.translation), self.language.join(other.language), candidates)


class FusionScorer:
    """log p(x | source) + weight * log p_lm(x), both given what was said before (shallow fusion; Gulcehre et al.
    2015, section 4.1). To the language model the sentence is the first line of a text; it does without its cache.
    """

    def __init__(self, translation: StepScorer, language: LanguageModel, weight: float) -> None:
        self.translation, self.language, self.weight = translation, language.eval(), weight

    def start(self, source_SB: Tensor, lengths_B: Tensor, candidates: CandidateIds | None = None) -> FusionState:
        """See `StepScorer`."""
        translation = self.translation.start(source_SB, lengths_B, candidates)
        return FusionState(translation, self.language.start(len(lengths_B)), candidates)

    def step(self, ids_N: Tensor, state: FusionState) -> tuple[Tensor, FusionState, Tensor]:
        """See `StepScorer`."""
        log_probs, translation, weights = self.translation.step(ids_N, state.translation)
        read = torch.where(ids_N == BOS_ID, EOS_ID, ids_N)  # before a text stands the end of another
        language, after = self.language.step(read, state.language)
        if state.candidates is not None:
            ids_BC = state.candidates.ids_BC
            each = len(ids_N) // len(ids_BC)
            language = language.gather(1, ids_BC.repeat_interleave(each, dim=0))
        return (
            widened(log_probs).add(language, alpha=self.weight),
            FusionState(translation, after, state.candidates),
            weights,
        )
