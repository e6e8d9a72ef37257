"""Where hypotheses come from: back-pointers, one set for each step of a search.

A hypothesis is a row of a step. Each step has its own rows: sentences come and go, and a row follows from whichever
row of the step before its parent names.

Shapes: N rows of a step, S source positions, T subwords.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from seqtrans.search.attended import equally_wide
from seqtrans.search.slots import Floats, Ints


@dataclass(frozen=True)
class Step:
    """The rows after a step."""

    parents_N: Ints
    """Rows of the step before."""
    tokens_N: Ints
    log_probs_N: Floats
    """What each token added."""

    def join(self, other: Step) -> Step:
        """These rows and, after them, others."""
        return Step(*(np.concatenate(pair) for pair in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass
class Trace:
    """All steps of a search so far."""

    steps: list[Step] = field(default_factory=list)
    attention: list[Tensor | None] = field(default_factory=list)
    """[N, S]: what the rows *before* each step attended to, where that is wanted; None once it is read."""

    def __len__(self) -> int:
        return len(self.steps)

    def read(self, row: int, started: int, step: int) -> tuple[list[int], list[float], list[Tensor]]:
        """Tokens, log-probabilities and attention of the hypothesis that had come to `row` before `step`."""
        tokens: list[int] = []
        log_probs: list[float] = []
        weights: list[Tensor] = []
        for number in range(step - 1, started - 1, -1):
            at = self.steps[number]
            tokens.append(int(at.tokens_N[row]))
            log_probs.append(float(at.log_probs_N[row]))
            row = int(at.parents_N[row])
            if self.attention:
                attention = self.attention[number]
                assert attention is not None
                weights.append(attention[row])
        return tokens[::-1], log_probs[::-1], weights[::-1]

    def history(self, started_N: Ints) -> Ints:
        """The tokens of every row of the last step, [N, T], before them -1; `started_N` is each row's first step."""
        rows = np.arange(len(started_N))
        columns: list[Ints] = []
        for number in range(len(self.steps) - 1, int(started_N.min(initial=len(self.steps))) - 1, -1):
            inside = number >= started_N
            rows = np.where(inside, rows, 0)
            columns.append(np.where(inside, self.steps[number].tokens_N[rows], -1))
            rows = self.steps[number].parents_N[rows]
        return np.stack(columns[::-1], axis=1) if columns else np.zeros((len(started_N), 0), dtype=np.int64)

    def forget(self, before: int) -> None:
        """Let go of the attention of the steps before the first one that is still needed."""
        for number in range(min(before, len(self.attention)) - 1, -1, -1):
            if self.attention[number] is None:
                return
            self.attention[number] = None


def alignment_of(weights: Sequence[Tensor], positions: int) -> Tensor:
    """[T, positions] from the attention at each step, which may be wider, and not always as wide."""
    return torch.stack([row[:positions] for row in weights]) if weights else torch.zeros(0, positions)


def joined_rows(first: Tensor, second: Tensor) -> Tensor:
    """Rows [N, S] of two batches, one after the other, both as wide as the wider."""
    return torch.cat(equally_wide(first, second))
