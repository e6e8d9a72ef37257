"""What a search asks of a model: log-probabilities of the next subword.

Shapes: S source steps, B sentences, N rows (k of each sentence, side by side), V target vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from seqtrans.model.memory import DecoderState, Memory
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.search.shapes import fitted

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

    def start(self, source_SB: Tensor, lengths_B: Tensor) -> SearchState:
        """The state before the first subword, one row a sentence."""
        ...

    def step(self, ids_N: Tensor, state: Any) -> tuple[Tensor, SearchState, Tensor]:
        """Last ids -> log-probabilities of the next [N, V], the state after, attention weights [N, S].

        No log-probability is above 0, and the caller may write into them.
        """
        ...


@dataclass(frozen=True)
class ModelState:
    """A memory a sentence, a decoder state a row."""

    memory: Memory
    decoder: DecoderState

    def select(self, rows: Tensor | None, sentences: Tensor | None = None) -> ModelState:
        """See `SearchState`; memory is never copied for the rows of a sentence."""
        memory = self.memory if sentences is None else self.memory.select(sentences)
        return ModelState(memory, self.decoder if rows is None else self.decoder.select(rows))

    def join(self, other: ModelState) -> ModelState:
        """See `SearchState`."""
        return ModelState(fitted(self.memory.join(other.memory)), self.decoder.join(other.decoder))


class ModelScorer:
    """One model."""

    def __init__(self, model: Seq2Seq) -> None:
        """The weights must not change from the first `start` on."""
        self.model = model.eval()
        self._projections: Tensor | None = None

    def start(self, source_SB: Tensor, lengths_B: Tensor) -> ModelState:
        """Encode the sources."""
        if self._projections is None and self.model.projected_numbers <= MOST_PROJECTED:
            self._projections = self.model.projections()
        memory = fitted(self.model.encode(source_SB, lengths_B))
        return ModelState(memory, self.model.start(memory))

    def step(self, ids_N: Tensor, state: ModelState) -> tuple[Tensor, ModelState, Tensor]:
        """One step of the decoder; the softmax is in 32 bits whatever the model computes in."""
        logits, decoder, weights = self.model.step(ids_N, state.decoder, state.memory, self._projections)
        exact = logits.float() if logits.dtype == torch.bfloat16 else logits
        return torch.log_softmax(exact, dim=1), ModelState(state.memory, decoder), weights
