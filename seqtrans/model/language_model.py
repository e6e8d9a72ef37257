"""The language model: a decoder without a source.

Shapes: T steps, B streams or sentences, E embedding, H hidden units, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqtrans.config import ModelConfig
from seqtrans.model.dropout import VariationalDropout, WordDropout
from seqtrans.model.parts import embedding
from seqtrans.recurrent.cells import find_cell
from seqtrans.recurrent.cells.base import Cell, State, recurrent_dropout
from seqtrans.recurrent.products import linear

LanguageState = tuple[State, ...]
"""A state a layer."""


class LanguageModel(nn.Module):
    """P(x_t | x_1 .. x_{t-1}) by recurrent layers over the embeddings (Mikolov et al. 2010), with residuals.

    The scores come from the top layer or, with tied embeddings, from a linear map of it to their size.
    """

    def __init__(self, config: ModelConfig, vocab: int) -> None:
        super().__init__()
        kind, hidden = find_cell(config.cell), config.hidden
        self.embedding = embedding(vocab, config.embedding)
        sizes = [config.embedding] + [hidden] * (config.decoder_layers - 1)
        self.layers = nn.ModuleList(kind(size, hidden) for size in sizes)
        self.readout = nn.Linear(hidden, config.embedding) if config.tied_embeddings else None
        self.output_weight = self.embedding if config.tied_embeddings else embedding(vocab, hidden)
        self.output_bias = nn.Parameter(torch.zeros(vocab))
        self.dropout = VariationalDropout(config.dropout)
        self.recurrent_dropout = config.recurrent_dropout
        self.word_dropout = WordDropout(config.word_dropout)

    def start(self, batch: int) -> LanguageState:
        """The state before the first subword of a text: zeros."""
        return tuple(cell.initial_state(batch) for cell in self._cells())

    def readouts(self, inputs_TB: Tensor, state: LanguageState) -> tuple[Tensor, LanguageState]:
        """Each subword's predecessor -> readouts [T, B, E or H], and the state from which the text goes on.

        No gradient comes back through that state: this is where backpropagation through time is truncated.
        """
        below: Tensor = self.dropout(self.word_dropout(F.embedding(inputs_TB, self.embedding)))
        after = []
        with recurrent_dropout(self, self.recurrent_dropout):
            for number, (cell, before) in enumerate(zip(self._cells(), state, strict=True)):
                outputs, last = cell.run(below, before)
                after.append(last)
                below = self.dropout(outputs) + below if number else self.dropout(outputs)
        return self._read_out(below), tuple(after)

    def logits(self, readouts: Tensor) -> Tensor:
        """Readouts -> scores [..., V] before the softmax."""
        return F.linear(readouts, self.output_weight, self.output_bias)

    def step(self, ids_B: Tensor, state: LanguageState) -> tuple[Tensor, LanguageState]:
        """The last id of each row -> logits of the next [B, V], and the state after."""
        below = F.embedding(ids_B, self.embedding)
        after = []
        for number, (cell, before) in enumerate(zip(self._cells(), state, strict=True)):
            after.append(cell.advance(cell.project(below), before))
            below = after[-1][0] + below if number else after[-1][0]
        return self.logits(self._read_out(below)), tuple(after)

    def _read_out(self, top: Tensor) -> Tensor:
        return top if self.readout is None else linear(top, self.readout.weight, self.readout.bias)

    def _cells(self) -> list[Cell]:
        return [layer for layer in self.layers if isinstance(layer, Cell)]
