"""A short target vocabulary for each sentence: the subwords that its translation may contain.

With few candidates the output layer, the softmax and the search for the best ones cost next to nothing (L'Hostis,
Grangier & Auli 2016). A subword that is not among a sentence's candidates cannot occur in its translation.

Shapes: V vocabulary, N translations of each source subword, B sentences, C candidates of each, the first A of which are
shared by all sentences, E readout units, R rows of a search (k hypotheses of each sentence, side by side).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from seqtrans.model.tensors import resized
from seqtrans.text.subwords import FIRST_PIECE_ID, PAD_ID

ALWAYS = 100
"""Number of most frequent target subwords that are candidates of every sentence."""
LEAST_VOCABULARY = 1000
"""With fewer target subwords a shortlist saves no time."""

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Shortlist:
    """The likely translations of each source subword."""

    translations_VN: NDArray[np.int32]
    always_A: NDArray[np.int32]
    """Candidates of every sentence: the special subwords, at the positions of their ids, and frequent ones."""

    @staticmethod
    def of(translations_VN: NDArray[np.int32], frequent: NDArray[np.int32]) -> Shortlist:
        """A shortlist of these translations; the `frequent` target subwords are candidates of every sentence."""
        special = np.arange(FIRST_PIECE_ID, dtype=np.int32)
        return Shortlist(translations_VN, np.concatenate([special, np.setdiff1d(frequent, special)]))

    def specific(self, sources: Sequence[Sequence[int]], additional: Sequence[Sequence[int]]) -> list[Ids]:
        """The candidates of each sentence without the shared ones, as ascending ids.

        They are the translations of its subwords, and its `additional` subwords.
        """
        largest = max(
            self.translations_VN.max(initial=0), self.always_A.max(), *(max(ids, default=0) for ids in additional)
        )
        candidates, is_candidate = [], np.zeros(int(largest) + 1, dtype=np.bool_)
        for source, additions in zip(sources, additional, strict=True):
            is_candidate[:] = False
            is_candidate[self.translations_VN[list(source)]] = True
            is_candidate[list(additions)] = True
            is_candidate[self.always_A] = False
            candidates.append(np.flatnonzero(is_candidate))
        return candidates

    def tensors(self) -> dict[str, Tensor]:
        """The tensors that a model file stores, by name."""
        return {_TRANSLATIONS: torch.from_numpy(self.translations_VN), _ALWAYS: torch.from_numpy(self.always_A)}


_TRANSLATIONS, _ALWAYS = "shortlist.translations", "shortlist.always"


def shortlist_from(tensors: dict[str, Tensor], source_size: int, target_size: int) -> Shortlist | None:
    """Take the shortlist out of `tensors`; None if they hold none.

    Raises:
        ValueError: its tensors do not fit vocabularies of these sizes.
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
    if always[:FIRST_PIECE_ID].tolist() != list(range(FIRST_PIECE_ID)) or not bool((always.diff() > 0).all()):
        raise ValueError("shortlist")
    return Shortlist(translations.numpy(), always.numpy())


@dataclass(frozen=True)
class CandidateIds:
    """The candidates of each sentence of a batch."""

    ids_BC: Tensor
    """Filled up with PAD."""
    shared: int
    """A, the number of candidates that all sentences share."""

    def on(self, device: torch.device) -> CandidateIds:
        """The same on a device."""
        return CandidateIds(self.ids_BC.to(device), self.shared)

    def select(self, sentences: Tensor) -> CandidateIds:
        """The same for some of the sentences, in this order."""
        return CandidateIds(self.ids_BC.index_select(0, sentences), self.shared)

    def join(self, other: CandidateIds) -> CandidateIds:
        """The same for these sentences and, after them, those of `other`."""
        return CandidateIds(concatenated(self.ids_BC, other.ids_BC, PAD_ID), self.shared)


def concatenated(first: Tensor, second: Tensor, padding: float) -> Tensor:
    """Two batches of lists [B, C], one after the other, padded with `padding` to the length of the longest list."""
    columns = max(first.shape[1], second.shape[1])
    lists = torch.cat([resized(first, columns, padding), resized(second, columns, padding)])
    return lists[:, : int((lists != padding).any(dim=0).nonzero()[-1]) + 1]


@dataclass(frozen=True)
class NarrowOutput:
    """The rows of an output layer that belong to the candidates of each sentence."""

    shared_AE: Tensor
    """Weights of the A shared candidates: one product for all sentences reads them once, not once per sentence."""
    specific_BCE: Tensor
    """Weights of the other C - A candidates."""
    bias_BC: Tensor
    """-inf at padding."""

    @staticmethod
    def of(candidates: CandidateIds, weight_VE: Tensor, bias_V: Tensor) -> NarrowOutput:
        """The candidates' rows of a whole output layer, in the precision in which its products are computed."""
        ids_BC, shared = candidates.ids_BC, candidates.shared
        parts = F.embedding(ids_BC[0, :shared], weight_VE), F.embedding(ids_BC[:, shared:], weight_VE)
        bias_BC = bias_V[ids_BC].masked_fill(ids_BC == PAD_ID, -torch.inf)
        device = weight_VE.device.type
        if torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
            parts = parts[0].to(dtype), parts[1].to(dtype)
        return NarrowOutput(*parts, bias_BC)

    def logits(self, readouts_RE: Tensor) -> Tensor:
        """Scores of the candidates before the softmax [R, C]."""
        sentences, count = self.bias_BC.shape
        readouts_BkE = readouts_RE.view(sentences, -1, readouts_RE.shape[1])
        shared, specific = F.linear(readouts_BkE, self.shared_AE), torch.bmm(readouts_BkE, self.specific_BCE.mT)
        return (torch.cat([shared, specific], dim=2) + self.bias_BC.unsqueeze(1)).view(-1, count)

    def select(self, sentences: Tensor) -> NarrowOutput:
        """The same for some of the sentences, in this order."""
        specific, bias = (t.index_select(0, sentences) for t in (self.specific_BCE, self.bias_BC))
        return NarrowOutput(self.shared_AE, specific, bias)

    def join(self, other: NarrowOutput) -> NarrowOutput:
        """The same for these sentences and, after them, those of `other`."""
        bias = concatenated(self.bias_BC, other.bias_BC, -torch.inf)
        columns = bias.shape[1] - len(self.shared_AE)
        specific = torch.cat([resized(part.specific_BCE, columns) for part in (self, other)])
        return NarrowOutput(self.shared_AE, specific, bias)
