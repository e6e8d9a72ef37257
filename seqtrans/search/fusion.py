"""Shallow fusion: a translator together with a language model of the target language.

Shapes: S source steps, B sentences, N rows, V target vocabulary, C candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.model.language_model import LanguageNetwork, LanguageState
from seqtrans.model.shortlist import CandidateIds
from seqtrans.model.tensors import at_least_float32
from seqtrans.search.scorer import SearchState, StepScorer
from seqtrans.text.subwords import BOS_ID, EOS_ID


@dataclass(frozen=True)
class FusionState:
    """The state of the translator, and that of the language model after the subwords of each row."""

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
    """log p(x | source, y) + weight * log p_lm(x | y), where y are the subwords before x (Gulcehre et al. 2015, section
    4.1).

    The language model reads each hypothesis as the first line of a text. Its cache is not used.
    """

    def __init__(self, translation: StepScorer, language: LanguageNetwork, weight: float) -> None:
        self.translation, self.language, self.weight = translation, language.eval(), weight

    def start(self, source_SB: Tensor, lengths_B: Tensor, candidates: CandidateIds | None = None) -> FusionState:
        """See `StepScorer`."""
        translation = self.translation.start(source_SB, lengths_B, candidates)
        return FusionState(translation, self.language.start(len(lengths_B)), candidates)

    def step(self, ids_N: Tensor, state: FusionState) -> tuple[Tensor, FusionState, Tensor]:
        """See `StepScorer`."""
        log_probs, translation, weights = self.translation.step(ids_N, state.translation)
        inputs_N = torch.where(ids_N == BOS_ID, EOS_ID, ids_N)  # a language model starts a text with EOS, not BOS
        language, next_language = self.language.step(inputs_N, state.language)
        if state.candidates is not None:
            ids_BC = state.candidates.ids_BC
            rows_per_sentence = len(ids_N) // len(ids_BC)
            language = language.gather(1, ids_BC.repeat_interleave(rows_per_sentence, dim=0))
        return (
            at_least_float32(log_probs).add(language, alpha=self.weight),
            FusionState(translation, next_language, state.candidates),
            weights,
        )
