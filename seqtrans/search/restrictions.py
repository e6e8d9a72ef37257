"""What a hypothesis may not say next.

Shapes: N rows, T subwords so far, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqtrans.search.candidates import Candidates
from seqtrans.search.hypothesis import Request, SearchOptions
from seqtrans.search.required import Required, State
from seqtrans.search.slots import Ints
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID

_NOWHERE = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Rows:
    """Unfinished hypotheses."""

    requests_N: Ints
    """Which request each belongs to."""
    lengths_N: Ints
    """How many subwords each has."""
    history: Callable[[], Ints]
    """These subwords [N, T], before them -1."""
    progress: Callable[[], Sequence[State]]
    """How far each has come with what is required."""


class Restrictions:
    """Takes away the log-probabilities of what is not allowed. PAD and BOS never are."""

    def __init__(self, requests: Sequence[Request], options: SearchOptions, forbidden: Sequence[int] = ()) -> None:
        self.prefixes = [request.prefix for request in requests]
        self.shortest = np.array([options.min_length(request) for request in requests])
        self.no_repeat = options.no_repeat
        self.forbidden = np.array(forbidden, dtype=np.int64)
        self.forces = any(self.prefixes)
        self.required = [Required(request.required) for request in requests]
        self.requires = any(request.required for request in requests)

    def apply(self, log_probs_NV: Tensor, rows: Rows, candidates: Candidates | None = None) -> None:
        """Write -inf where a subword is not allowed; with `candidates`, the columns are these."""

        def at(rows: Ints, tokens: Ints) -> tuple[Tensor, Tensor]:
            places = tokens if candidates is None else candidates.places(rows, tokens, len(log_probs_NV))
            return torch.from_numpy(rows), torch.from_numpy(places)

        forced, next_tokens = self._forced(rows) if self.forces else _NOWHERE
        wanted, wanted_tokens = self._wanted(rows) if self.requires else _NOWHERE
        # what is asked for, whatever else forbids it
        if len(forced):
            worth = log_probs_NV[at(forced, next_tokens)]
        if len(wanted):
            wanted_worth = log_probs_NV[at(wanted, wanted_tokens)]
        for special in (PAD_ID, BOS_ID):  # several times as fast as both at once
            log_probs_NV[:, special] = -torch.inf
        if candidates is None and len(self.forbidden):
            log_probs_NV[:, self.forbidden] = -torch.inf
        elif candidates is not None and len(self.forbidden):
            log_probs_NV.masked_fill_(candidates.holding(self.forbidden, log_probs_NV), -torch.inf)
        if self.no_repeat:
            log_probs_NV[at(*repetitions(rows.history(), self.no_repeat))] = -torch.inf
        is_early = rows.lengths_N < self.shortest[rows.requests_N]
        is_early[wanted] = True
        early = np.flatnonzero(is_early)
        if len(early):
            log_probs_NV[torch.from_numpy(early), EOS_ID] = -torch.inf
        if len(wanted):
            log_probs_NV[at(wanted, wanted_tokens)] = wanted_worth
        if len(forced):
            log_probs_NV[torch.from_numpy(forced)] = -torch.inf
            log_probs_NV[at(forced, next_tokens)] = worth

    def _wanted(self, rows: Rows) -> tuple[Ints, Ints]:
        """Rows, and subwords that bring required phrases on in them."""
        states = zip(rows.requests_N.tolist(), rows.progress(), strict=True)
        found = [(row, token) for row, (number, s) in enumerate(states) for token in self.required[number].wanted(s)]
        wanted, tokens = np.array(found, dtype=np.int64).reshape(-1, 2).T
        return wanted, tokens

    def _forced(self, rows: Rows) -> tuple[Ints, Ints]:
        """The rows that are inside a prefix, and its next subword."""
        inside = [
            (row, self.prefixes[number][length])
            for row, (number, length) in enumerate(zip(rows.requests_N.tolist(), rows.lengths_N.tolist(), strict=True))
            if length < len(self.prefixes[number])
        ]
        forced, tokens = np.array(inside, dtype=np.int64).reshape(-1, 2).T
        return forced, tokens


def repetitions(history_NT: Ints, size: int) -> tuple[Ints, Ints]:
    """Rows, and tokens that would make `size` subwords stand twice in them; before its begin a row holds -1."""
    steps = history_NT.shape[1]
    if steps < size:
        return _NOWHERE
    windows = np.lib.stride_tricks.sliding_window_view(history_NT, size, axis=1)
    last = history_NT[:, steps - size + 1 :]
    same = (windows[:, :, : size - 1] == last[:, None, :]).all(axis=2) & (windows >= 0).all(axis=2)
    row, place = np.nonzero(same)
    return row, np.ascontiguousarray(windows[row, place, size - 1])
