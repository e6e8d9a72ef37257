"""How probable a translator finds given translations.

Shapes: T target steps with EOS, B pairs, E readout units, V target vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from seqtrans.device import Compute
from seqtrans.model.file import TrainedModel
from seqtrans.perplexity import Reading
from seqtrans.text.batches import pad_sources, pad_targets
from seqtrans.text.subwords import UNK_ID

BATCH = 64
AREA = 1 << 18
"""Source subwords times target subwords of a batch: attention may hold hundreds of numbers for each."""
CHUNK = 512
"""Predictions whose scores are held at once."""


@dataclass(frozen=True)
class Forced:
    """A translation that the model was made to say."""

    tokens: list[int]
    token_log_probs: list[float]
    """One for each token, and one for EOS; nothing where both source and translation are blank."""

    def reading(self, characters: int) -> Reading:
        """As a text of so many characters, its end left out."""
        return Reading(
            -sum(self.token_log_probs),
            len(self.token_log_probs),
            characters + bool(self.token_log_probs),
            self.tokens.count(UNK_ID),
        )


class Forcer:
    """A translator that is made to say what it is given."""

    def __init__(self, model: TrainedModel, compute: Compute) -> None:
        self.model, self.compute = model, compute
        self.network = model.seq2seq.eval().to(compute.device)

    def force(self, sources: Sequence[str], targets: Sequence[str]) -> list[Forced]:
        """Each translation given its source; a pair of blank lines has nothing to say."""
        encoded = [
            subwords.encode_batch(list(lines))
            for subwords, lines in ((self.model.source_subwords, sources), (self.model.target_subwords, targets))
        ]
        pairs = list(zip(*encoded, strict=True))
        found = [Forced([], []) for _ in pairs]
        order = sorted((i for i, pair in enumerate(pairs) if any(pair)), key=lambda i: tuple(map(len, pairs[i])))
        for rows in _batches(order, [(len(source) + 1) * (len(target) + 1) for source, target in pairs]):
            log_probs = self._force([pairs[i] for i in rows])
            for i, values in zip(rows, log_probs, strict=True):
                found[i] = Forced(pairs[i][1], values)
        return found

    def _force(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[list[float]]:
        source_SB, lengths_B = pad_sources([source for source, _ in pairs])
        inputs_TB, outputs_TB = pad_targets([target for _, target in pairs])
        source_SB, lengths_B, inputs_TB, outputs_TB = (
            t.to(self.compute.device) for t in (source_SB, lengths_B, inputs_TB, outputs_TB)
        )
        with torch.no_grad(), self.compute.arithmetic():
            # in parts, so that a long pair by itself holds no more of attention than a batch may
            steps = max(1, AREA // source_SB.numel())
            readouts_TBE = self.network.readouts(inputs_TB, self.network.encode(source_SB, lengths_B), bptt=steps)
            parts = zip(readouts_TBE.flatten(0, 1).split(CHUNK), outputs_TB.flatten().split(CHUNK), strict=True)
            log_probs = torch.cat([self._log_probs(*part) for part in parts]).view(outputs_TB.shape)
        columns = log_probs.t().tolist()
        return [values[: len(target) + 1] for values, (_, target) in zip(columns, pairs, strict=True)]

    def _log_probs(self, readouts: Tensor, wanted: Tensor) -> Tensor:
        logits = self.network.logits(readouts)
        exact = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return -F.cross_entropy(exact, wanted, reduction="none")


def _batches(order: Sequence[int], areas: Sequence[int]) -> Iterator[list[int]]:
    """As many pairs together as `BATCH` and `AREA` allow, but one at least."""
    batch: list[int] = []
    largest = 0
    for pair in order:
        largest = max(largest, areas[pair])
        if batch and (len(batch) == BATCH or (len(batch) + 1) * largest > AREA):
            yield batch
            batch, largest = [], areas[pair]
        batch.append(pair)
    if batch:
        yield batch
