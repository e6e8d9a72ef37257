"""A vocabulary for each sentence: the target subwords that its translations may hold, out of all.

With few of them the output layer, the softmax and the search of the largest cost next to nothing (L'Hostis, Grangier &
Auli 2016). What is in none of a sentence's lists cannot be said of it.

Shapes: V vocabulary, N translations of each source subword, A candidates that all sentences share, B sentences,
C candidates of each, the first A of which are those, E readout units, R rows of a search (k of each sentence, side by
side).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from seqtrans.model.parts import as_wide
from seqtrans.text.subwords import FIRST_PIECE_ID, PAD_ID

ALWAYS = 100
"""The so many most frequent target subwords are candidates of every sentence."""
LEAST_VOCABULARY = 1000
"""With fewer target subwords a list saves nothing."""

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Shortlist:
    """Which target subwords each source subword lets expect."""

    translations_VN: NDArray[np.int32]
    always_A: NDArray[np.int32]
    """What every sentence may hold: the special subwords, whose places are their ids, and others."""

    @staticmethod
    def of(translations_VN: NDArray[np.int32], frequent: NDArray[np.int32]) -> Shortlist:
        """These translations, and frequent target subwords."""
        special = np.arange(FIRST_PIECE_ID, dtype=np.int32)
        return Shortlist(translations_VN, np.concatenate([special, np.setdiff1d(frequent, special)]))

    def own(self, sources: Sequence[Sequence[int]], more: Sequence[Sequence[int]]) -> list[Ids]:
        """The other candidates of each sentence, in order: translations of its subwords, and `more`."""
        largest = max(self.translations_VN.max(initial=0), self.always_A.max(), *(max(ids, default=0) for ids in more))
        found, held = [], np.zeros(int(largest) + 1, dtype=np.bool_)
        for source, others in zip(sources, more, strict=True):
            held[:] = False
            held[self.translations_VN[list(source)]] = True
            held[list(others)] = True
            held[self.always_A] = False
            found.append(np.flatnonzero(held))
        return found

    def tensors(self) -> dict[str, Tensor]:
        """What a file holds of it."""
        return {_TRANSLATIONS: torch.from_numpy(self.translations_VN), _ALWAYS: torch.from_numpy(self.always_A)}


_TRANSLATIONS, _ALWAYS = "shortlist.translations", "shortlist.always"


def shortlist_from(tensors: dict[str, Tensor], source_size: int, target_size: int) -> Shortlist | None:
    """Take the shortlist out of `tensors`; None where there is none.

    Raises:
        ValueError: what there is, is none for vocabularies of these sizes.
    """
    translations, always = tensors.pop(_TRANSLATIONS, None), tensors.pop(_ALWAYS, None)
    if translations is None and always is None:
        return None
    if translations is None or always is None or translations.shape[:1] != (source_size,):
        raise ValueError("shortlist")
    for ids, dimensions in ((translations, 2), (always, 1)):
        in_range = ids.dtype == torch.int32 and bool(((ids >= 0) & (ids < target_size)).all())
        if not in_range or ids.dim() != dimensions:
            raise ValueError("shortlist")
    if always[:FIRST_PIECE_ID].tolist() != list(range(FIRST_PIECE_ID)):
        raise ValueError("shortlist")
    return Shortlist(translations.numpy(), always.numpy())


@dataclass(frozen=True)
class CandidateIds:
    """The candidates of some sentences."""

    ids_BC: Tensor
    """PAD where a sentence has no more."""
    shared: int
    """A."""

    def on(self, device: torch.device) -> CandidateIds:
        """The same on a device."""
        return CandidateIds(self.ids_BC.to(device), self.shared)

    def select(self, sentences: Tensor) -> CandidateIds:
        """Of some of the sentences, in this order."""
        return CandidateIds(self.ids_BC.index_select(0, sentences), self.shared)

    def join(self, other: CandidateIds) -> CandidateIds:
        """Of these sentences and, after them, others."""
        return CandidateIds(joined_lists(self.ids_BC, other.ids_BC, PAD_ID), self.shared)


def joined_lists(first: Tensor, second: Tensor, value: float) -> Tensor:
    """Two batches [B, C], one after the other, filled up with `value`, and no wider than the longest list."""
    wide = max(first.shape[1], second.shape[1])
    lists = torch.cat([as_wide(first, wide, value), as_wide(second, wide, value)])
    return lists[:, : int((lists != value).any(dim=0).nonzero()[-1]) + 1]


@dataclass(frozen=True)
class NarrowOutput:
    """The rows of an output layer that are the candidates of each sentence."""

    shared_AE: Tensor
    """Weights of what all sentences share: one product for all, and half the memory to go through."""
    own_BCE: Tensor
    """Of the others, C - A."""
    bias_BC: Tensor
    """-inf where a sentence has no more candidates."""

    @staticmethod
    def of(candidates: CandidateIds, weight_VE: Tensor, bias_V: Tensor) -> NarrowOutput:
        """Of a whole output layer, in the type that its products have."""
        ids_BC, shared = candidates.ids_BC, candidates.shared
        parts = F.embedding(ids_BC[0, :shared], weight_VE), F.embedding(ids_BC[:, shared:], weight_VE)
        bias_BC = bias_V[ids_BC].masked_fill(ids_BC == PAD_ID, -torch.inf)
        place = weight_VE.device.type
        if torch.is_autocast_enabled(place):
            dtype = torch.get_autocast_dtype(place)
            parts = parts[0].to(dtype), parts[1].to(dtype)
        return NarrowOutput(*parts, bias_BC)

    def logits(self, readouts_RE: Tensor) -> Tensor:
        """Scores of the candidates before the softmax [R, C]."""
        sentences, count = self.bias_BC.shape
        readouts_BkE = readouts_RE.view(sentences, -1, readouts_RE.shape[1])
        shared, own = F.linear(readouts_BkE, self.shared_AE), torch.bmm(readouts_BkE, self.own_BCE.mT)
        return (torch.cat([shared, own], dim=2) + self.bias_BC.unsqueeze(1)).view(-1, count)

    def select(self, sentences: Tensor) -> NarrowOutput:
        """Of some of the sentences, in this order."""
        own, bias = (t.index_select(0, sentences) for t in (self.own_BCE, self.bias_BC))
        return NarrowOutput(self.shared_AE, own, bias)

    def join(self, other: NarrowOutput) -> NarrowOutput:
        """Of these sentences and, after them, others."""
        bias = joined_lists(self.bias_BC, other.bias_BC, -torch.inf)
        wide = bias.shape[1] - len(self.shared_AE)
        return NarrowOutput(self.shared_AE, torch.cat([as_wide(part.own_BCE, wide) for part in (self, other)]), bias)
