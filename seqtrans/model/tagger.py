"""The tagger: a tag for each token, from all tokens of the sentence.

Shapes: S positions, B sentences, H hidden units, V tags.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqtrans.config.schema import ModelConfig
from seqtrans.model.dropout import VariationalDropout, WordDropout
from seqtrans.model.encoder import Encoder
from seqtrans.model.tensors import embedding_weight
from seqtrans.recurrent.cells.base import Cell


class TaggerNetwork(nn.Module):
    """P(tag_s | all tokens) by bidirectional layers (Graves & Schmidhuber 2005); tags are independent of each other."""

    def __init__(
        self, config: ModelConfig, source_vocab: int, target_vocab: int, cell: type[Cell] | None = None
    ) -> None:
        """`cell` overrides the cell class that `config` names."""
        super().__init__()
        self.source_embedding = embedding_weight(source_vocab, config.embedding)
        self.encoder = Encoder(config, cell)
        self.output_weight = embedding_weight(target_vocab, config.hidden)
        self.output_bias = nn.Parameter(torch.zeros(target_vocab))
        self.dropout = VariationalDropout(config.dropout)
        self.word_dropout = WordDropout(config.word_dropout)

    def readouts(self, source_SB: Tensor, lengths_B: Tensor) -> Tensor:
        """Token ids, padded at the end, and lengths (at least 1) -> readouts [S, B, H]."""
        embedded: Tensor = self.dropout(self.word_dropout(F.embedding(source_SB, self.source_embedding)))
        values_BSH: Tensor = self.encoder(embedded, lengths_B)[0]
        return values_BSH.transpose(0, 1)

    def logits(self, readouts: Tensor) -> Tensor:
        """Readouts [..., H] -> scores [..., V] before the softmax."""
        return F.linear(readouts, self.output_weight, self.output_bias)
