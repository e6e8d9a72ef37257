"""The language model: a decoder without a source.

Shapes: T steps, B streams or sentences, E embedding, H hidden units, V vocabulary.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqtrans.config.schema import ModelConfig
from seqtrans.model.cache import ContinuousCache, Past
from seqtrans.model.dropout import VariationalDropout, WordDropout
from seqtrans.model.tensors import embedding_weight
from seqtrans.recurrent.cells import find_cell
from seqtrans.recurrent.cells.base import Cell, State, recurrent_dropout
from seqtrans.recurrent.products import linear
from seqtrans.recurrent.transition import with_transitions


class LanguageState(NamedTuple):
    """The state of a language model after the text that it has read."""

    layers: tuple[State, ...]
    past: Past | None = None
    """The steps that its cache may copy from."""

    def select(self, rows: Tensor) -> LanguageState:
        """The state of some of the texts, in the order of `rows`, without the cache."""
        return LanguageState(tuple(tuple(t.index_select(0, rows) for t in layer) for layer in self.layers))

    def join(self, other: LanguageState) -> LanguageState:
        """The state of these texts and, after them, those of `other`, without the cache."""
        pairs = zip(self.layers, other.layers, strict=True)
        return LanguageState(tuple(tuple(torch.cat(t) for t in zip(*layers, strict=True)) for layers in pairs))


class LanguageNetwork(nn.Module):
    """P(x_t | x_1 .. x_{t-1}) by recurrent layers over the embeddings (Mikolov et al. 2010), with residuals.

    The scores come from the top layer or, with tied embeddings, from a linear map of it to the size of an embedding.
    """

    def __init__(self, config: ModelConfig, vocab: int, cell: type[Cell] | None = None) -> None:
        """`cell` overrides the cell class that `config` names."""
        super().__init__()
        kind, hidden = with_transitions(cell or find_cell(config.cell), config.decoder_transitions), config.hidden
        self.embedding = embedding_weight(vocab, config.embedding)
        sizes = [config.embedding] + [hidden] * (config.decoder_layers - 1)
        self.layers = nn.ModuleList(kind(size, hidden) for size in sizes)
        self.readout = nn.Linear(hidden, config.embedding) if config.tied_embeddings else None
        self.output_weight = self.embedding if config.tied_embeddings else embedding_weight(vocab, hidden)
        self.output_bias = nn.Parameter(torch.zeros(vocab))
        self.cache = ContinuousCache(config.cache) if config.cache else None
        self.dropout = VariationalDropout(config.dropout)
        self.recurrent_dropout = config.recurrent_dropout
        self.word_dropout = WordDropout(config.word_dropout)

    def start(self, batch: int) -> LanguageState:
        """The state before the first subword of a text: zeros."""
        return LanguageState(tuple(cell.initial_state(batch) for cell in self._cells()))

    def readouts(self, inputs_TB: Tensor, state: LanguageState) -> tuple[Tensor, LanguageState]:
        """Subwords -> readouts [T, B, E or H], each of which predicts the next subword, and the state after them.

        No gradient comes back through that state, which truncates backpropagation through time. The cache takes no
        part in training.
        """
        below: Tensor = self.dropout(self.word_dropout(F.embedding(inputs_TB, self.embedding)))
        after = []
        with recurrent_dropout(self, self.recurrent_dropout):
            for number, (cell, before) in enumerate(zip(self._cells(), state.layers, strict=True)):
                outputs, last = cell.run(below, before)
                after.append(last)
                below = self.dropout(outputs) + below if number else self.dropout(outputs)
        return self._read_out(below), LanguageState(tuple(after), state.past)

    def logits(self, readouts: Tensor) -> Tensor:
        """Readouts -> scores [..., V] before the softmax."""
        return linear(readouts, self.output_weight, self.output_bias)

    def predict(self, inputs_TB: Tensor, state: LanguageState) -> tuple[Tensor, LanguageState]:
        """Subwords -> log-probabilities [T, B, V] of the next of each, in 32 bits or more, and the state after them."""
        readouts, after = self.readouts(inputs_TB, state)
        logits = self.logits(readouts)
        if self.cache is None:
            return logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=2), after
        similarity, past = self.cache.compare(readouts, inputs_TB, state.past)
        return self.cache.mix(logits, similarity), LanguageState(after.layers, past)

    def step(self, ids_N: Tensor, state: LanguageState) -> tuple[Tensor, LanguageState]:
        """The last subword of each text -> log-probabilities [N, V] of the next, without the cache; the state after."""
        readouts, after = self.readouts(ids_N.unsqueeze(0), state)
        logits = self.logits(readouts[0])
        return logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=1), after

    def _read_out(self, top: Tensor) -> Tensor:
        return top if self.readout is None else linear(top, self.readout.weight, self.readout.bias)

    def _cells(self) -> list[Cell]:
        return [layer for layer in self.layers if isinstance(layer, Cell)]
