"""The subwords that a search may choose from, where these are not all there are: a list for each sentence.

Shapes: B sentences, C candidates of each, N = B * k rows, M places in the list of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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

    ids_BC: Ints
    shared: int

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
        return Candidates(ids, shared)

    def on(self, device: torch.device) -> CandidateIds:
        """What a scorer is told of them."""
        return CandidateIds(torch.from_numpy(self.ids_BC).to(device), self.shared)

    def select(self, kept: Ints) -> Candidates:
        """Of some of the sentences."""
        return Candidates(self.ids_BC[kept], self.shared)

    def join(self, other: Candidates) -> Candidates:
        """Of these sentences and, after them, others."""
        wide = max(self.ids_BC.shape[1], other.ids_BC.shape[1])
        widened = [
            np.pad(ids, ((0, 0), (0, wide - ids.shape[1])), constant_values=PAD_ID)
            for ids in (self.ids_BC, other.ids_BC)
        ]
        return Candidates(np.concatenate(widened), self.shared)

    def ids(self, places_NM: Ints) -> Ints:
        """The subwords at these places of each row's list."""
        each = len(places_NM) // len(self.ids_BC)
        return self.ids_BC[np.arange(len(places_NM))[:, None] // each, places_NM]

    def holding(self, tokens: Ints, like_NC: Tensor) -> Tensor:
        """Where any of the tokens stands in the list of each row [N, C]."""
        held = np.repeat(np.isin(self.ids_BC, tokens), len(like_NC) // len(self.ids_BC), axis=0)
        return torch.from_numpy(held).to(like_NC.device)

    def places(self, rows: Ints, tokens: Ints, count: int) -> Ints:
        """Where each token stands in the list of its row, of so many rows; it has to be there."""
        lists = self.ids_BC[rows // (count // len(self.ids_BC))]
        places: Ints = (lists == tokens[:, None]).argmax(axis=1)
        return places
