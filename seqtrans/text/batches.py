"""Padded batches of sentence pairs that are similar in length, so that there is little padding.

Shapes: S and T source and target steps, B sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqtrans.randomness import derived_seed
from seqtrans.text.corpus import EncodedCorpus
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID

POOL = 100
"""How many batches' pairs are sorted by length together: enough for little padding, few enough to shuffle well."""


@dataclass(frozen=True)
class Batch:
    """Sentence pairs side by side, padded at the end."""

    source_SB: Tensor
    source_lengths_B: Tensor
    inputs_TB: Tensor
    """BOS and the target: the inputs of the decoder (teacher forcing)."""
    outputs_TB: Tensor
    """The target and EOS: the predictions that are correct."""
    pairs: NDArray[np.int64]
    """The numbers of the pairs in the corpus."""
    target_tokens: int
    """Number of predictions, EOS included, without padding."""

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(
            self.source_SB.to(device),
            self.source_lengths_B.to(device),
            self.inputs_TB.to(device),
            self.outputs_TB.to(device),
            self.pairs,
            self.target_tokens,
        )


def epoch_order(corpus: EncodedCorpus, batch_size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """The batches of one epoch, as pair numbers; a function of the arguments alone."""
    random = np.random.default_rng(derived_seed(seed, "data order", epoch))
    shuffled = random.permutation(len(corpus))
    source, target = corpus.source.lengths, corpus.target.lengths
    batches = []
    for start in range(0, len(shuffled), POOL * batch_size):
        pool = shuffled[start : start + POOL * batch_size]
        pool = pool[np.lexsort((source[pool], target[pool]))]
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    return [batches[i] for i in random.permutation(len(batches))]


def make_batch(corpus: EncodedCorpus, pairs: NDArray[np.int64]) -> Batch:
    """A batch of these pairs."""
    sources = [corpus.source[i] for i in pairs]
    targets = [corpus.target[i] for i in pairs]
    source, lengths = pad_sources(sources)
    inputs, outputs = pad_targets(targets)
    tokens = sum(map(len, targets)) + len(targets)
    return Batch(source, lengths, inputs, outputs, pairs, tokens)


Ids = NDArray[np.int32] | Sequence[int]


def pad_targets(targets: Sequence[Ids]) -> tuple[Tensor, Tensor]:
    """Targets -> inputs of the decoder (after BOS) and correct predictions (before EOS), padded, [T, B] each."""
    inputs = np.full((max(map(len, targets)) + 1, len(targets)), PAD_ID, dtype=np.int64)
    outputs = inputs.copy()
    inputs[0] = BOS_ID
    for column, ids in enumerate(targets):
        inputs[1 : len(ids) + 1, column] = ids
        outputs[: len(ids), column] = ids
        outputs[len(ids), column] = EOS_ID
    return torch.from_numpy(inputs), torch.from_numpy(outputs)


def pad_sources(sources: Sequence[Ids]) -> tuple[Tensor, Tensor]:
    """Sources -> padded ids [S, B] with EOS after each sequence, and lengths [B] with EOS."""
    padded = np.full((max(map(len, sources)) + 1, len(sources)), PAD_ID, dtype=np.int64)
    for column, ids in enumerate(sources):
        padded[: len(ids), column] = ids
        padded[len(ids), column] = EOS_ID
    return torch.from_numpy(padded), torch.tensor([len(ids) + 1 for ids in sources])
