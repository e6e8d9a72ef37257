"""The candidates of a search with a shortlist: for each sentence, the subwords that its hypotheses may contain.

Shapes: B sentences, C candidates of each, N = B * k rows, M columns of a row.
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
    """A list of candidates for each sentence of a batch, filled up with PAD.

    Each list begins with the candidates that all sentences share. The first of these are the special subwords, so that
    the column of a special subword is its id.
    """

    ids: CandidateIds
    """On the CPU; a scorer gets a copy on its device."""

    @staticmethod
    def of(requests: Sequence[Request], shortlist: Shortlist) -> Candidates:
        """The candidates of each request; the subwords of its prefix and required phrases are among them."""
        required = [[*request.prefix, *chain(*request.required)] for request in requests]
        lists = shortlist.specific([request.source for request in requests], required)
        n_shared = len(shortlist.always_A)
        ids = np.full((len(lists), n_shared + max(map(len, lists))), PAD_ID, dtype=np.int64)
        ids[:, :n_shared] = shortlist.always_A
        for row, specific in enumerate(lists):
            ids[row, n_shared : n_shared + len(specific)] = specific
        return Candidates(CandidateIds(torch.from_numpy(ids), n_shared))

    @cached_property
    def lists(self) -> Ints:
        """The subwords [B, C]."""
        ids: Ints = self.ids.ids_BC.numpy()
        return ids

    def select(self, kept: Ints) -> Candidates:
        """The candidates of the sentences at these positions."""
        return Candidates(self.ids.select(torch.from_numpy(kept)))

    def join(self, other: Candidates) -> Candidates:
        """The candidates of these sentences, followed by those of `other`."""
        return Candidates(self.ids.join(other.ids))

    def tokens(self, columns_NM: Ints) -> Ints:
        """The subwords [N, M] in these columns of each row's list."""
        rows_per_sentence = len(columns_NM) // len(self.lists)
        return self.lists[np.arange(len(columns_NM))[:, None] // rows_per_sentence, columns_NM]

    def mask(self, tokens: Ints, like_NC: Tensor) -> Tensor:
        """A mask [N, C] of the columns that hold one of the tokens, with the device of `like_NC`."""
        mask_NC = np.repeat(np.isin(self.lists, tokens), len(like_NC) // len(self.lists), axis=0)
        return torch.from_numpy(mask_NC).to(like_NC.device)

    def columns(self, rows: Ints, tokens: Ints, n_rows: int) -> Ints:
        """The column of each token in the list of its row. The list must contain it; `n_rows` is N."""
        row_lists = self.lists[rows // (n_rows // len(self.lists))]
        columns: Ints = (row_lists == tokens[:, None]).argmax(axis=1)
        return columns
