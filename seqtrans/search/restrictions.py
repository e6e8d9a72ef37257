"""The subwords that may not follow a hypothesis.

Shapes: N rows, T subwords so far, V target vocabulary (with a shortlist: the candidates of a sentence).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqtrans.search.candidates import Candidates
from seqtrans.search.hypothesis import Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.required import PhraseProgress, RequiredPhrases
from seqtrans.search.slots import Ints
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID

_NO_ROWS = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Rows:
    """Unfinished hypotheses, possibly of several sentences.

    `history` and `progress` are functions, because most searches need neither.
    """

    requests_N: Ints
    """The index of the request of each."""
    lengths_N: Ints
    """The number of subwords of each."""
    history: Callable[[], Ints]
    """Gives the subwords [N, T] of each, aligned to the right and filled up with -1."""
    progress: Callable[[], Sequence[PhraseProgress]]
    """Gives the progress of each through its required phrases."""


class Restrictions:
    """Masks subwords that may not follow: their log-probabilities become -inf. PAD and BOS may never follow."""

    def __init__(self, requests: Sequence[Request], options: SearchOptions, forbidden: Sequence[int] = ()) -> None:
        self.prefixes = [request.prefix for request in requests]
        self.min_lengths = np.array([options.min_length(request) for request in requests])
        self.no_repeat = options.no_repeat
        self.forbidden = np.array(forbidden, dtype=np.int64)
        self.has_prefixes = any(self.prefixes)
        self.required = [RequiredPhrases(request.required) for request in requests]
        self.has_phrases = any(request.required for request in requests)

    def apply(self, log_probs_NV: Tensor, rows: Rows, candidates: Candidates | None = None) -> None:
        """Mask the subwords that may not follow each row.

        With `candidates`, the columns are the candidates of each row. Inside a prefix only its next subword may follow.
        A hypothesis may not end before its required phrases are complete. The next subwords of a prefix or a required
        phrase may follow even where another restriction forbids them.
        """

        def index(rows: Ints, tokens: Ints) -> tuple[Tensor, Tensor]:
            columns = tokens if candidates is None else candidates.columns(rows, tokens, len(log_probs_NV))
            return torch.from_numpy(rows), torch.from_numpy(columns)

        prefix_rows, prefix_tokens = self._prefix_subwords(rows) if self.has_prefixes else _NO_ROWS
        phrase_rows, phrase_tokens = self._phrase_subwords(rows) if self.has_phrases else _NO_ROWS
        # these values are written back after the other restrictions
        if len(prefix_rows):
            prefix_log_probs = log_probs_NV[index(prefix_rows, prefix_tokens)]
        if len(phrase_rows):
            phrase_log_probs = log_probs_NV[index(phrase_rows, phrase_tokens)]
        for special in (PAD_ID, BOS_ID):  # several times as fast as both in one assignment
            log_probs_NV[:, special] = -torch.inf
        if candidates is None and len(self.forbidden):
            log_probs_NV[:, self.forbidden] = -torch.inf
        elif candidates is not None and len(self.forbidden):
            log_probs_NV.masked_fill_(candidates.mask(self.forbidden, log_probs_NV), -torch.inf)
        if self.no_repeat:
            log_probs_NV[index(*repetitions(rows.history(), self.no_repeat))] = -torch.inf
        may_not_end = rows.lengths_N < self.min_lengths[rows.requests_N]
        may_not_end[phrase_rows] = True
        rows_without_eos = np.flatnonzero(may_not_end)
        if len(rows_without_eos):
            log_probs_NV[torch.from_numpy(rows_without_eos), EOS_ID] = -torch.inf
        if len(phrase_rows):
            log_probs_NV[index(phrase_rows, phrase_tokens)] = phrase_log_probs
        if len(prefix_rows):
            log_probs_NV[torch.from_numpy(prefix_rows)] = -torch.inf
            log_probs_NV[index(prefix_rows, prefix_tokens)] = prefix_log_probs

    def _phrase_subwords(self, rows: Rows) -> tuple[Ints, Ints]:
        """Pairs of a row and a subword that continues an incomplete required phrase in it."""
        states = enumerate(zip(rows.requests_N.tolist(), rows.progress(), strict=True))
        pairs = [(row, token) for row, (n, progress) in states for token in self.required[n].next_subwords(progress)]
        phrase_rows, tokens = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return phrase_rows, tokens

    def _prefix_subwords(self, rows: Rows) -> tuple[Ints, Ints]:
        """The rows that are shorter than their prefix, and its next subword."""
        pairs = [
            (row, self.prefixes[number][length])
            for row, (number, length) in enumerate(zip(rows.requests_N.tolist(), rows.lengths_N.tolist(), strict=True))
            if length < len(self.prefixes[number])
        ]
        prefix_rows, tokens = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return prefix_rows, tokens


def repetitions(history_NT: Ints, size: int) -> tuple[Ints, Ints]:
    """Pairs of a row and a token after which the row would contain the same `size` subwords twice.

    In `history_NT` each row is aligned to the right and filled up with -1.
    """
    steps = history_NT.shape[1]
    if steps < size:
        return _NO_ROWS
    windows = np.lib.stride_tricks.sliding_window_view(history_NT, size, axis=1)
    last = history_NT[:, steps - size + 1 :]
    same = (windows[:, :, : size - 1] == last[:, None, :]).all(axis=2) & (windows >= 0).all(axis=2)
    rows, positions = np.nonzero(same)
    return rows, np.ascontiguousarray(windows[rows, positions, size - 1])
