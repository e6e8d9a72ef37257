"""The interface between a search and a model: log-probabilities of the next subword.

Shapes: S source steps, B sentences, N rows (k of each sentence, side by side), V target vocabulary, C candidates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from seqtrans.model.memory import DecoderState, Memory
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.model.shortlist import CandidateIds, NarrowOutput
from seqtrans.search.shapes import pad_to_rounded_length, trim_memory

MAX_PROJECTIONS_SIZE = 1 << 25
"""Largest size (in numbers) of `Seq2Seq.projections`, computed once for all subwords: 64 MiB in bfloat16."""


class SearchState(Protocol):
    """What a scorer carries from step to step: tensors per sentence and tensors per row."""

    def select(self, rows: Tensor | None, sentences: Tensor | None = None) -> SearchState:
        """A state with these rows and sentences, in this order; None keeps all as they are."""
        ...

    def join(self, other: Any) -> SearchState:
        """A state with these sentences and rows, followed by those of another state of the same scorer."""
        ...


class StepScorer(Protocol):
    """What a search needs from a model, an ensemble, or a model with a language model."""

    def start(self, source_SB: Tensor, lengths_B: Tensor, candidates: CandidateIds | None = None) -> SearchState:
        """The state before the first subword, with one row for each sentence.

        With `candidates`, only these subwords may occur in the hypotheses of a sentence.
        """
        ...

    def step(self, ids_N: Tensor, state: Any) -> tuple[Tensor, SearchState, Tensor]:
        """Read the last subword of each row.

        Returns the natural log-probabilities of the next subword [N, V], the state after the step and the attention
        weights [N, S]. With candidates, the log-probabilities are [N, C], in the order of the candidates. All
        log-probabilities are at most 0. The caller may write into them.
        """
        ...


@dataclass(frozen=True)
class ModelState:
    """A memory for each sentence, a decoder state for each row."""

    memory: Memory
    decoder: DecoderState
    output: NarrowOutput | None
    """The output layer of each sentence's candidates; None if every subword may follow."""

    def select(self, rows: Tensor | None, sentences: Tensor | None = None) -> ModelState:
        """See `SearchState`. The rows of a sentence share its memory, copied only when sentences leave or join."""
        memory, output = self.memory, self.output
        if sentences is not None:
            memory, output = memory.select(sentences), None if output is None else output.select(sentences)
        return ModelState(memory, self.decoder if rows is None else self.decoder.select(rows), output)

    def join(self, other: ModelState) -> ModelState:
        """See `SearchState`."""
        output = None if self.output is None or other.output is None else self.output.join(other.output)
        return ModelState(trim_memory(self.memory.join(other.memory)), self.decoder.join(other.decoder), output)


class ModelScorer:
    """Predictions of one model."""

    def __init__(self, model: Seq2Seq) -> None:
        """The weights of `model` must not change after the first `start`."""
        self.model = model.eval()
        self._projections: Tensor | None = None

    def start(self, source_SB: Tensor, lengths_B: Tensor, candidates: CandidateIds | None = None) -> ModelState:
        """Encode the sources."""
        if self._projections is None and self.model.projections_size <= MAX_PROJECTIONS_SIZE:
            self._projections = self.model.projections()
        memory = self.model.encode(pad_to_rounded_length(source_SB), lengths_B)
        output = None if candidates is None else self.model.narrow_output(candidates)
        return ModelState(memory, self.model.start(memory), output)

    def step(self, ids_N: Tensor, state: ModelState) -> tuple[Tensor, ModelState, Tensor]:
        """One step of the decoder. The softmax sums in 32 bits; its result has the precision of the logits."""
        logits, decoder, weights = self.model.step(ids_N, state.decoder, state.memory, self._projections, state.output)
        with torch.autocast(logits.device.type, enabled=False):  # autocast would return 32 bits
            return torch.log_softmax(logits, dim=1), replace(state, decoder=decoder), weights
