"""Forced decoding: the log-probabilities of reference translations under a translation model.

Shapes: T target steps with EOS, B pairs, E readout units, V target vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from seqtrans.device import Compute
from seqtrans.inference.perplexity import Likelihood
from seqtrans.model.trained import TrainedModel
from seqtrans.text.batches import pad_sources, pad_targets
from seqtrans.text.subwords import UNK_ID

PAIRS_AT_ONCE = 64
MAX_AREA = 1 << 18
"""Limit for pairs * source length * target length of a batch. Attention may need hundreds of numbers for each unit."""
PREDICTIONS_AT_ONCE = 512
"""Predictions whose logits over the whole vocabulary are in memory at once."""


@dataclass(frozen=True)
class ForcedTranslation:
    """The subwords of a translation and their log-probabilities."""

    tokens: list[int]
    token_log_probs: list[float]
    """The natural log-probability of each token, then that of EOS; empty if source and translation are both blank."""

    def likelihood(self, characters: int) -> Likelihood:
        """The likelihood of the translation as a text of this many characters, the line end not counted."""
        return Likelihood(
            -sum(self.token_log_probs),
            len(self.token_log_probs),
            characters + bool(self.token_log_probs),
            self.tokens.count(UNK_ID),
        )


class ForcedDecoder:
    """Computes the log-probabilities of translations by teacher forcing."""

    def __init__(self, model: TrainedModel, compute: Compute) -> None:
        self.model, self.compute = model, compute
        self.network = model.seq2seq.eval().to(compute.device)

    def force(self, sources: Sequence[str], targets: Sequence[str]) -> list[ForcedTranslation]:
        """The log-probabilities of each target given its source. A pair of blank lines has none.

        Raises:
            ValueError: there are not as many targets as sources.
        """
        encoded = [
            subwords.encode_batch(list(lines))
            for subwords, lines in ((self.model.source_subwords, sources), (self.model.target_subwords, targets))
        ]
        pairs = list(zip(*encoded, strict=True))
        translations = [ForcedTranslation([], []) for _ in pairs]
        order = sorted((i for i, pair in enumerate(pairs) if any(pair)), key=lambda i: tuple(map(len, pairs[i])))
        for rows in _batches(order, [(len(source) + 1) * (len(target) + 1) for source, target in pairs]):
            log_probs = self._force([pairs[i] for i in rows])
            for i, values in zip(rows, log_probs, strict=True):
                translations[i] = ForcedTranslation(pairs[i][1], values)
        return translations

    def _force(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[list[float]]:
        source_SB, lengths_B = pad_sources([source for source, _ in pairs])
        inputs_TB, outputs_TB = pad_targets([target for _, target in pairs])
        source_SB, lengths_B, inputs_TB, outputs_TB = (
            t.to(self.compute.device) for t in (source_SB, lengths_B, inputs_TB, outputs_TB)
        )
        with torch.no_grad(), self.compute.arithmetic():
            # in parts of the target, so that the attention of one very long pair stays within MAX_AREA
            steps = max(1, MAX_AREA // source_SB.numel())
            readouts_TBE = self.network.readouts(inputs_TB, self.network.encode(source_SB, lengths_B), bptt=steps)
            parts = zip(
                readouts_TBE.flatten(0, 1).split(PREDICTIONS_AT_ONCE),
                outputs_TB.flatten().split(PREDICTIONS_AT_ONCE),
                strict=True,
            )
            log_probs = torch.cat([self._log_probs(*part) for part in parts]).view(outputs_TB.shape)
        columns = log_probs.t().tolist()
        return [values[: len(target) + 1] for values, (_, target) in zip(columns, pairs, strict=True)]

    def _log_probs(self, readouts: Tensor, targets: Tensor) -> Tensor:
        logits = self.network.logits(readouts)
        exact = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return -F.cross_entropy(exact, targets, reduction="none")


def _batches(order: Sequence[int], areas: Sequence[int]) -> Iterator[list[int]]:
    """Groups of pairs, as large as `PAIRS_AT_ONCE` and `MAX_AREA` allow; each has at least one pair."""
    batch: list[int] = []
    largest = 0
    for pair in order:
        largest = max(largest, areas[pair])
        if batch and (len(batch) == PAIRS_AT_ONCE or (len(batch) + 1) * largest > MAX_AREA):
            yield batch
            batch, largest = [], areas[pair]
        batch.append(pair)
    if batch:
        yield batch
