"""The decoder: recurrent layers, attention between the first and the others, and a readout.

Layer 1 runs over the embeddings; its output is the attention's query; the layers above read
[layer below; context], with residual connections (Wu et al. 2016, section 3). The readout is
tanh(W [top layer; context]) (Luong et al. 2015, equation 5). No layer depends on the attention of the previous
step, so training runs each layer over the whole target at once. With input feeding (Luong et al. 2015,
section 3.3) layer 1 also reads the previous readout, and training goes step by step.

Shapes: T target steps, B sentences, N = B * K rows of a search (K hypotheses of each sentence, side by side),
E embedding, H hidden units, D memory units, S source positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqtrans.config.schema import ModelConfig
from seqtrans.model.attention import find_attention
from seqtrans.model.dropout import VariationalDropout, apply_mask
from seqtrans.model.memory import DecoderState, Memory
from seqtrans.recurrent.cells import find_cell
from seqtrans.recurrent.cells.base import Cell, State, recurrent_dropout
from seqtrans.recurrent.products import deferred_gradients, linear
from seqtrans.recurrent.transition import with_transitions


class Decoder(nn.Module):
    """`forward` over whole targets and repeated `step` compute the same."""

    def __init__(self, config: ModelConfig, cell: type[Cell] | None = None) -> None:
        """`cell` overrides the cell class that `config` names."""
        super().__init__()
        kind = with_transitions(cell or find_cell(config.cell), config.decoder_transitions)
        hidden, memory = config.hidden, config.hidden
        self.embedding_size, self.input_feeding = config.embedding, config.input_feeding
        first = config.embedding * (2 if config.input_feeding else 1)
        sizes = [first] + [hidden + memory] * (config.decoder_layers - 1)
        self.layers = nn.ModuleList(kind(size, hidden) for size in sizes)
        self.attention = find_attention(config.attention)(hidden, memory)
        self.readout = nn.Linear(hidden + memory, config.embedding)
        self.starts_from_mean = config.bridge == "mean"
        self.bridge = nn.Linear(memory, config.decoder_layers * kind.states * hidden)
        self.dropout = VariationalDropout(config.dropout)
        self.recurrent_dropout = config.recurrent_dropout

    def start(self, memory: Memory) -> DecoderState:
        """The state before the first step, one row for each sentence: tanh(W s + b).

        s is the encoder's summary (after Bahdanau et al. 2015, A.2.2) or the mean of its output (Sennrich et al. 2017,
        section 2).
        """
        initial = torch.tanh(self.bridge(memory.mean() if self.starts_from_mean else memory.summary_BD))
        parts = iter(initial.chunk(sum(c.states for c in self._cells()), dim=1))
        layers: tuple[State, ...] = tuple(
            tuple(next(parts).contiguous() for _ in range(cell.states)) for cell in self._cells()
        )
        feed = memory.summary_BD.new_zeros(len(memory.summary_BD), self.embedding_size)
        return DecoderState(layers, feed if self.input_feeding else None)

    def forward(self, embedded_TBE: Tensor, memory: Memory, bptt: int = 0) -> Tensor:
        """The readouts [T, B, E] of whole targets, from the embedding of the subword before each (teacher forcing).

        Gradients do not cross the ends of segments of `bptt` steps (Williams & Peng 1990); if it is 0, there is one
        segment.
        """
        state, masks = self.start(memory), self._masks(memory)
        run = self._by_steps if self.input_feeding else self._by_layers
        readouts = []
        with recurrent_dropout(self, self.recurrent_dropout):
            for segment in embedded_TBE.split(bptt or max(1, len(embedded_TBE))):
                part, state = run(segment, state, memory, masks)
                readouts.append(part)
        return readouts[0] if len(readouts) == 1 else torch.cat(readouts)

    def _by_steps(
        self, embedded_TBE: Tensor, state: DecoderState, memory: Memory, masks: _Masks
    ) -> tuple[Tensor, DecoderState]:
        readouts = []
        with deferred_gradients():
            for projected in self.project(embedded_TBE).unbind(0):
                readout, state, _ = self._advance(projected, state, memory, masks)
                readouts.append(readout)
        return torch.stack(readouts), state.detached()

    def _by_layers(
        self, embedded_TBE: Tensor, state: DecoderState, memory: Memory, masks: _Masks
    ) -> tuple[Tensor, DecoderState]:
        first, *others = self._cells()
        outputs, last = first.run(embedded_TBE, state.layers[0])
        below, last_states = apply_mask(outputs, masks.query), [last]
        context, _ = self.attention(below.transpose(0, 1), memory)
        context_TBD = apply_mask(context.transpose(0, 1), masks.context)
        for cell, initial, mask in zip(others, state.layers[1:], masks.layers, strict=True):
            outputs, last = cell.run(torch.cat([below, context_TBD], dim=2), initial)
            below = below + apply_mask(outputs, mask)
            last_states.append(last)
        readouts = apply_mask(self._read_out(torch.cat([below, context_TBD], dim=2)), masks.readout)
        return readouts, DecoderState(tuple(last_states), None)

    def step(self, projected_NG: Tensor, state: DecoderState, memory: Memory) -> tuple[Tensor, DecoderState, Tensor]:
        """One step of N rows, from `project` of their embeddings.

        Returns readouts [N, E], the next state and attention weights [N, S].
        """
        return self._advance(projected_NG, state, memory, _Masks())

    def _advance(
        self, projected: Tensor, state: DecoderState, memory: Memory, masks: _Masks
    ) -> tuple[Tensor, DecoderState, Tensor]:
        """One step; `projected` is what `project` made of the embeddings."""
        first, *others = self._cells()
        if state.feed_NE is not None:
            projected = projected + linear(state.feed_NE, first.input_weight[:, self.embedding_size :])
        next_states = [first.advance(projected, state.layers[0])]
        below = apply_mask(next_states[0][0], masks.query)
        sentences = len(memory.values_BSD)
        context, weights = self.attention(below.view(sentences, -1, below.shape[1]), memory)
        context_ND = apply_mask(context.flatten(0, 1), masks.context)
        for cell, previous, mask in zip(others, state.layers[1:], masks.layers or [None] * len(others), strict=True):
            next_states.append(cell.advance(cell.project(torch.cat([below, context_ND], dim=1)), previous))
            below = below + apply_mask(next_states[-1][0], mask)
        readout = apply_mask(self._read_out(torch.cat([below, context_ND], dim=1)), masks.readout)
        feed = readout if self.input_feeding else None
        return readout, DecoderState(tuple(next_states), feed), weights.flatten(0, 1)

    @property
    def gate_units(self) -> int:
        """G: the units of all gates of layer 1 together, H per gate."""
        return len(self._cells()[0].input_weight)

    def project(self, embedded: Tensor) -> Tensor:
        """The part of layer 1's gates [..., G] that depends on the embeddings [..., E] alone."""
        first = self._cells()[0]
        if not self.input_feeding:
            return first.project(embedded)
        return linear(embedded, first.input_weight[:, : self.embedding_size], first.bias)

    def _read_out(self, top_and_context: Tensor) -> Tensor:
        return torch.tanh(linear(top_and_context, self.readout.weight, self.readout.bias))

    def _cells(self) -> list[Cell]:
        return [layer for layer in self.layers if isinstance(layer, Cell)]

    def _masks(self, memory: Memory) -> _Masks:
        """Dropout masks [B, units] for one batch, drawn in the same order with and without input feeding."""
        batch, hidden = len(memory.summary_BD), self._cells()[0].hidden
        draw = self.dropout.mask
        like = memory.summary_BD
        return _Masks(
            draw(batch, hidden, like),
            draw(batch, like.shape[1], like),
            [draw(batch, hidden, like) for _ in self.layers[1:]],
            draw(batch, self.embedding_size, like),
        )


@dataclass(frozen=True)
class _Masks:
    """Dropout masks with a row for each sentence; None where nothing is dropped."""

    query: Tensor | None = None
    context: Tensor | None = None
    layers: Sequence[Tensor | None] = ()
    readout: Tensor | None = None
