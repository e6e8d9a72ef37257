"""The translator: embeddings, encoder, decoder, output layer.

Shapes: S and T source and target steps, B sentences, N rows of a search, E embedding, V target vocabulary,
C candidates.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqtrans.config.schema import ModelConfig
from seqtrans.model.decoder import Decoder
from seqtrans.model.dropout import VariationalDropout, WordDropout
from seqtrans.model.encoder import Encoder
from seqtrans.model.memory import DecoderState, Memory
from seqtrans.model.shortlist import CandidateIds, NarrowOutput
from seqtrans.model.tensors import embedding_weight
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.products import linear


class Seq2Seq(nn.Module):
    """P(target | source).

    With tied embeddings, one matrix is the target embedding and the output layer, and with a vocabulary that both
    sides share (`joint`) it is the source embedding too.
    """

    def __init__(
        self,
        config: ModelConfig,
        source_vocab: int,
        target_vocab: int,
        *,
        joint: bool,
        cell: type[Cell] | None = None,
    ) -> None:
        """`cell` overrides the cell class that `config` names."""
        super().__init__()
        tied = config.tied_embeddings
        shared = tied and joint
        self.target_embedding = embedding_weight(target_vocab, config.embedding)
        self.source_embedding = self.target_embedding if shared else embedding_weight(source_vocab, config.embedding)
        self.output_weight = self.target_embedding if tied else embedding_weight(target_vocab, config.embedding)
        self.output_bias = nn.Parameter(torch.zeros(target_vocab))
        self.encoder = Encoder(config, cell)
        self.decoder = Decoder(config, cell)
        self.dropout = VariationalDropout(config.dropout)
        self.word_dropout = WordDropout(config.word_dropout)

    @property
    def aligns(self) -> bool:
        """Whether the attention weights can be read as an alignment."""
        return self.decoder.attention.aligns

    def encode(self, source_SB: Tensor, lengths_B: Tensor) -> Memory:
        """Source ids, padded at the end, and lengths (at least 1) -> the memory for the decoder."""
        values, summary = self.encoder(self._embed(source_SB, self.source_embedding), lengths_B)
        positions = torch.arange(len(source_SB), device=lengths_B.device)
        padding = torch.zeros(values.shape[:2], device=values.device, dtype=values.dtype)
        padding.masked_fill_(positions >= lengths_B.unsqueeze(1), float("-inf"))
        return Memory(values, self.decoder.attention.keys(values), padding, summary)

    def readouts(self, targets_TB: Tensor, memory: Memory, bptt: int = 0) -> Tensor:
        """Teacher forcing: target ids that begin with BOS -> readouts [T, B, E], each of which predicts the next id.

        Gradients go back through at most `bptt` steps of the decoder; if it is 0, through all.
        """
        readouts: Tensor = self.decoder(self._embed(targets_TB, self.target_embedding), memory, bptt)
        return readouts

    def logits(self, readouts: Tensor) -> Tensor:
        """Readouts [..., E] -> scores [..., V] before the softmax."""
        return linear(readouts, self.output_weight, self.output_bias)

    def start(self, memory: Memory) -> DecoderState:
        """The decoder's state before the first subword, one row per sentence."""
        return self.decoder.start(memory)

    def narrow_output(self, candidates: CandidateIds) -> NarrowOutput:
        """The output layer restricted to the candidates of each sentence."""
        return NarrowOutput.of(candidates, self.output_weight, self.output_bias)

    @property
    def projections_size(self) -> int:
        """The number of elements of `projections`."""
        return len(self.target_embedding) * self.decoder.gate_units

    def projections(self) -> Tensor:
        """What the embedding adds to the first decoder layer's gates, for every target subword [V, G]."""
        return self.decoder.project(self.target_embedding)

    def step(
        self,
        ids_N: Tensor,
        state: DecoderState,
        memory: Memory,
        projections_VG: Tensor | None = None,
        output: NarrowOutput | None = None,
    ) -> tuple[Tensor, DecoderState, Tensor]:
        """The last id of each row -> logits of the next [N, V], the state after, attention weights [N, S].

        With `projections`, computed once for many steps, each step has one product less. With an `output` restricted
        to candidates, the logits are [N, C].
        """
        if projections_VG is None:
            projected = self.decoder.project(F.embedding(ids_N, self.target_embedding))
        else:
            projected = F.embedding(ids_N, projections_VG)
        readout, state, weights = self.decoder.step(projected, state, memory)
        return self.logits(readout) if output is None else output.logits(readout), state, weights

    def _embed(self, ids_TB: Tensor, weight: Tensor) -> Tensor:
        embedded: Tensor = self.dropout(self.word_dropout(F.embedding(ids_TB, weight)))
        return embedded
