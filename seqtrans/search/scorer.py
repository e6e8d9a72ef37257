"""What a search asks of a model: log-probabilities of the next subword.

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
from seqtrans.search.shapes import fitted, padded

MOST_PROJECTED = 1 << 25
"""Numbers that a search computes in advance, of every subword: 64 MiB in bfloat16."""


class SearchState(Protocol):
    """What a scorer carries from step to step: something of each sentence, and something of each row."""

    def select(self, rows: Tensor | None, sentences: Tensor | None = None) -> SearchState:
        """Reorder, repeat or drop rows, and sentences; None leaves them as they are."""
        ...

    def join(self, other: Any) -> SearchState:
        """The sentences and rows of another state of the same scorer, after its own."""
        ...


class StepScorer(Protocol):
    """A model, an ensemble, a model and a language model: the same to a search."""

    def start(self, source_SB: Tensor, lengths_B: Tensor, candidates: CandidateIds | None = None) -> SearchState:
        """The state before the first subword, one row a sentence.

        With `candidates`, nothing but these may follow in a sentence.
        """
        ...

    def step(self, ids_N: Tensor, state: Any) -> tuple[Tensor, SearchState, Tensor]:
        """Last ids -> log-probabilities of the next [N, V], the state after, attention weights [N, S].

        Where there are candidates, of these and in their order [N, C]. No log-probability is above 0, and the caller
        may write into them.
        """
        ...


@dataclass(frozen=True)
class ModelState:
    """A memory a sentence, a decoder state a row."""

    memory: Memory
    decoder: DecoderState
    output: NarrowOutput | None
    """The output layer of each sentence, where not every subword may follow."""

    def select(self, rows: Tensor | None, sentences: Tensor | None = None) -> ModelState:
        """See `SearchState`; memory is never copied for the rows of a sentence."""
        memory, output = self.memory, self.output
        if sentences is not None:
            memory, output = memory.select(sentences), None if output is None else output.select(sentences)
        return ModelState(memory, self.decoder if rows is None else self.decoder.select(rows), output)

    def join(self, other: ModelState) -> ModelState:
        """See `SearchState`."""
        output = None if self.output is None or other.output is None else self.output.join(other.output)
        return ModelState(fitted(self.memory.join(other.memory)), self.decoder.join(other.decoder), output)


class ModelScorer:
    """One model."""

    def __init__(self, model: Seq2Seq) -> None:
        """The weights must not change from the first `start` on."""
        self.model = model.eval()
        self._projections: Tensor | None = None

    def start(self, source_SB: Tensor, lengths_B: Tensor, candidates: CandidateIds | None = None) -> ModelState:
        """Encode the sources."""
        if self._projections is None and self.model.projected_numbers <= MOST_PROJECTED:
            self._projections = self.model.projections()
        memory = self.model.encode(padded(source_SB), lengths_B)
        output = None if candidates is None else self.model.narrow_output(candidates)
        return ModelState(memory, self.model.start(memory), output)

    def step(self, ids_N: Tensor, state: ModelState) -> tuple[Tensor, ModelState, Tensor]:
        """One step of the decoder. The softmax adds up in 32 bits, and its results are as exact as the scores are."""
        logits, decoder, weights = self.model.step(ids_N, state.decoder, state.memory, self._projections, state.output)
        with torch.autocast(logits.device.type, enabled=False):  # which would have it in 32 bits
            return torch.log_softmax(logits, dim=1), replace(state, decoder=decoder), weights
