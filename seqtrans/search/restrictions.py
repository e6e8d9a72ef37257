"""What a hypothesis may not say next.

Shapes: N rows, T subwords so far, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqtrans.search.hypothesis import Request, SearchOptions
from seqtrans.search.slots import Ints
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID


@dataclass(frozen=True)
class Rows:
    """Unfinished hypotheses."""

    requests_N: Ints
    """Which request each belongs to."""
    lengths_N: Ints
    """How many subwords each has."""
    history: Callable[[], Ints]
    """These subwords [N, T], before them -1."""


class Restrictions:
    """Takes away the log-probabilities of what is not allowed. PAD and BOS never are."""

    def __init__(self, requests: Sequence[Request], options: SearchOptions, forbidden: Sequence[int] = ()) -> None:
        self.prefixes = [request.prefix for request in requests]
        self.shortest = np.array([options.min_length(request) for request in requests])
        self.no_repeat = options.no_repeat
        self.never = [PAD_ID, BOS_ID, *forbidden]
        self.forces = any(self.prefixes)

    def apply(self, log_probs_NV: Tensor, rows: Rows) -> None:
        """Write -inf where a subword is not allowed."""
        forced = list(self._forced(log_probs_NV, rows)) if self.forces else []
        log_probs_NV[:, self.never] = -torch.inf
        if self.no_repeat:
            repeated, tokens = repetitions(rows.history(), self.no_repeat)
            log_probs_NV[torch.from_numpy(repeated), torch.from_numpy(tokens)] = -torch.inf
        early = np.flatnonzero(rows.lengths_N < self.shortest[rows.requests_N])
        if len(early):
            log_probs_NV[torch.from_numpy(early), EOS_ID] = -torch.inf
        for row, token, log_prob in forced:
            log_probs_NV[row] = -torch.inf
            log_probs_NV[row, token] = log_prob

    def _forced(self, log_probs_NV: Tensor, rows: Rows) -> Iterator[tuple[int, int, Tensor]]:
        """The rows that are inside a prefix, its next subword, and what that is worth, whatever else forbids it."""
        for row, (number, length) in enumerate(zip(rows.requests_N.tolist(), rows.lengths_N.tolist(), strict=True)):
            prefix = self.prefixes[number]
            if length < len(prefix):
                yield row, prefix[length], log_probs_NV[row, prefix[length]].clone()


def repetitions(history_NT: Ints, size: int) -> tuple[Ints, Ints]:
    """Rows, and tokens that would make `size` subwords stand twice in them; before its begin a row holds -1."""
    steps = history_NT.shape[1]
    if steps < size:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(history_NT, size, axis=1)
    last = history_NT[:, steps - size + 1 :]
    same = (windows[:, :, : size - 1] == last[:, None, :]).all(axis=2) & (windows >= 0).all(axis=2)
    row, place = np.nonzero(same)
    return row, np.ascontiguousarray(windows[row, place, size - 1])
