"""The subwords that a search may choose from, where these are not all there are: a list for each sentence.

Shapes: B sentences, C candidates of each, N = B * k rows, M places in the list of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from seqtrans.model.shortlist import CandidateIds, Shortlist
from seqtrans.search.hypothesis import Request
from seqtrans.search.slots import Ints
from seqtrans.text.subwords import PAD_ID


@dataclass(frozen=True)
class Candidates:
    """A list for each sentence of a batch, filled up with PAD.

    First come what all share, and of that the special subwords, so that their places are their ids.
    """

    told: CandidateIds
    """What a scorer is told of them, here on the processor."""

    @staticmethod
    def of(requests: Sequence[Request], shortlist: Shortlist) -> Candidates:
        """For some sentences; what a hypothesis has to begin with, and to hold, is among them."""
        given = [[*request.prefix, *chain(*request.required)] for request in requests]
        lists = shortlist.own([request.source for request in requests], given)
        shared = len(shortlist.always_A)
        ids = np.full((len(lists), shared + max(map(len, lists))), PAD_ID, dtype=np.int64)
        ids[:, :shared] = shortlist.always_A
        for row, found in enumerate(lists):
            ids[row, shared : shared + len(found)] = found
        return Candidates(CandidateIds(torch.from_numpy(ids), shared))

    @cached_property
    def lists(self) -> Ints:
        """The subwords [B, C]."""
        ids: Ints = self.told.ids_BC.numpy()
        return ids

    def select(self, kept: Ints) -> Candidates:
        """Of some of the sentences."""
        return Candidates(self.told.select(torch.from_numpy(kept)))

    def join(self, other: Candidates) -> Candidates:
        """Of these sentences and, after them, others."""
        return Candidates(self.told.join(other.told))

    def ids(self, places_NM: Ints) -> Ints:
        """The subwords at these places of each row's list."""
        each = len(places_NM) // len(self.lists)
        return self.lists[np.arange(len(places_NM))[:, None] // each, places_NM]

    def holding(self, tokens: Ints, like_NC: Tensor) -> Tensor:
        """Where any of the tokens stands in the list of each row [N, C]."""
        held = np.repeat(np.isin(self.lists, tokens), len(like_NC) // len(self.lists), axis=0)
        return torch.from_numpy(held).to(like_NC.device)

    def places(self, rows: Ints, tokens: Ints, count: int) -> Ints:
        """Where each token stands in the list of its row, of so many rows; it has to be there."""
        own = self.lists[rows // (count // len(self.lists))]
        places: Ints = (own == tokens[:, None]).argmax(axis=1)
        return places
