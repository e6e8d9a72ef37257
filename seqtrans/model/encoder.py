"""The encoder: a stack of bidirectional layers over the embedded source.

Shapes: S source positions, B sentences, E embedding, D hidden units of both directions together.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqtrans.config.schema import ModelConfig
from seqtrans.model.dropout import VariationalDropout
from seqtrans.recurrent.cells import find_cell
from seqtrans.recurrent.cells.base import Cell, recurrent_dropout
from seqtrans.recurrent.layer import BidirectionalLayer, reversal_index
from seqtrans.recurrent.transition import with_transitions


class Encoder(nn.Module):
    """Bidirectional layers, with residual connections from the second on."""

    def __init__(self, config: ModelConfig, cell: type[Cell] | None = None) -> None:
        """`cell` overrides the cell class that `config` names."""
        super().__init__()
        kind = with_transitions(cell or find_cell(config.cell), config.encoder_transitions)
        sizes = [config.embedding] + [config.hidden] * (config.encoder_layers - 1)
        self.layers = nn.ModuleList(
            BidirectionalLayer(kind, size, config.hidden, mixed=config.mixed_directions) for size in sizes
        )
        self.dropout = VariationalDropout(config.dropout)
        self.recurrent_dropout = config.recurrent_dropout

    def forward(self, embedded_SBE: Tensor, lengths_B: Tensor) -> tuple[Tensor, Tensor]:
        """Memory values [B, S, D], and the summary [B, D].

        The summary is the first half of the output at the sentence's last position, then the second half of that at
        position 0. Without `mixed_directions` these are the two directions' final outputs.
        """
        reversal = reversal_index(lengths_B, len(embedded_SBE))
        sequence = embedded_SBE
        with recurrent_dropout(self, self.recurrent_dropout):
            for number, layer in enumerate(self.layers):
                outputs = layer(sequence, reversal)
                sequence = outputs + sequence if number else outputs
                sequence = self.dropout(sequence)
        half = sequence.shape[2] // 2
        last = sequence[lengths_B - 1, torch.arange(len(lengths_B), device=lengths_B.device), :half]
        return sequence.transpose(0, 1).contiguous(), torch.cat([last, sequence[0, :, half:]], dim=1)
