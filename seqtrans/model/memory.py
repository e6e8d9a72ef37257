"""The memory that a decoder attends to, and the state that it carries from step to step.

Shapes: B sentences, S source positions, D memory units, A key units, N rows of a search, H hidden units.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.model.tensors import resized
from seqtrans.recurrent.cells.base import State, detached


@dataclass(frozen=True)
class Memory:
    """The encoder's output; row b of every tensor belongs to sentence b."""

    values_BSD: Tensor
    keys_BSA: Tensor
    """What the attention computes from the values once for each sentence."""
    padding_BS: Tensor
    """Added to attention scores: 0 at subwords, -inf at padding."""
    summary_BD: Tensor
    """First half of the values at the last position, second half of those at position 0: see `Encoder.forward`."""

    def mean(self) -> Tensor:
        """The mean of each sentence's values, [B, D]."""
        real_BS = (self.padding_BS == 0).to(self.values_BSD.dtype)
        return torch.bmm(real_BS.unsqueeze(1), self.values_BSD).squeeze(1) / real_BS.sum(1, keepdim=True)

    def select(self, rows: Tensor) -> Memory:
        """The memory of some of the sentences, in the order of `rows`."""
        return Memory(*(t.index_select(0, rows) for t in vars(self).values()))

    def resized(self, positions: int) -> Memory:
        """The same memory for this number of source positions, with padding added or cut at the end."""
        if positions == self.padding_BS.shape[1]:
            return self
        return Memory(
            resized(self.values_BSD, positions),
            resized(self.keys_BSA, positions),
            resized(self.padding_BS, positions, -torch.inf),
            self.summary_BD,
        )

    def join(self, other: Memory) -> Memory:
        """The memory of these sentences and, after them, those of `other`."""
        positions = max(self.padding_BS.shape[1], other.padding_BS.shape[1])
        pairs = zip(vars(self.resized(positions)).values(), vars(other.resized(positions)).values(), strict=True)
        return Memory(*(torch.cat(pair) for pair in pairs))


@dataclass(frozen=True)
class DecoderState:
    """Row n of every tensor belongs to row n of the search."""

    layers: tuple[State, ...]
    feed_NE: Tensor | None
    """The previous readout with input feeding, None without it."""

    def detached(self) -> DecoderState:
        """The same state, through which no gradient goes back."""
        return DecoderState(tuple(map(detached, self.layers)), None if self.feed_NE is None else self.feed_NE.detach())

    def select(self, rows: Tensor) -> DecoderState:
        """The state of some of the rows, in the order of `rows`."""
        layers = tuple(tuple(t.index_select(0, rows) for t in state) for state in self.layers)
        return DecoderState(layers, None if self.feed_NE is None else self.feed_NE.index_select(0, rows))

    def join(self, other: DecoderState) -> DecoderState:
        """The state of these rows and, after them, those of `other`."""
        layers = tuple(
            tuple(torch.cat(pair) for pair in zip(*states, strict=True))
            for states in zip(self.layers, other.layers, strict=True)
        )
        feeds = None if self.feed_NE is None or other.feed_NE is None else torch.cat([self.feed_NE, other.feed_NE])
        return DecoderState(layers, feeds)
