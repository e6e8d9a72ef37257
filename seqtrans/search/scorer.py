"""What a search asks of a model: log-probabilities of the next subword.

Shapes: S source steps, B sentences, N rows (K of each sentence, side by side), V target vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from seqtrans.model.memory import DecoderState, Memory
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.search.shapes import padded


class StepScorer(Protocol):
    """A model, an ensemble, a model and a language model: the same to a search."""

    def start(self, source_SB: Tensor, lengths_B: Tensor) -> SearchState:
        """The state before the first subword, one row a sentence."""
        ...

    def step(self, ids_N: Tensor, state: SearchState) -> tuple[Tensor, SearchState, Tensor]:
        """Last ids -> log-probabilities of the next [N, V], the state after, attention weights [N, S]."""
        ...


@dataclass(frozen=True)
class SearchState:
    """What a scorer carries: a memory a sentence, a decoder state a row."""

    memory: Memory
    decoder: DecoderState

    def select(self, rows: Tensor, sentences: Tensor | None = None) -> SearchState:
        """Reorder, repeat or drop rows; memory stays where it is unless `sentences` names those that stay."""
        memory = self.memory if sentences is None else self.memory.select(sentences)
        return SearchState(memory, self.decoder.select(rows))


class ModelScorer:
    """One model."""

    def __init__(self, model: Seq2Seq) -> None:
        self.model = model.eval()

    def start(self, source_SB: Tensor, lengths_B: Tensor) -> SearchState:
        """Encode the sources."""
        memory = padded(self.model.encode(source_SB, lengths_B))
        return SearchState(memory, self.model.start(memory))

    def step(self, ids_N: Tensor, state: SearchState) -> tuple[Tensor, SearchState, Tensor]:
        """One step of the decoder; the softmax is in 32 bits whatever the model computes in."""
        logits, decoder, weights = self.model.step(ids_N, state.decoder, state.memory)
        exact = logits.float() if logits.dtype == torch.bfloat16 else logits
        return torch.log_softmax(exact, dim=1), SearchState(state.memory, decoder), weights
