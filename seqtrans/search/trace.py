"""The trace of a search: for each step, back-pointers from the rows after it to the rows before it.

A hypothesis is a row of a step, together with the rows that its back-pointers lead to. The rows of two steps need not
belong to the same sentences: between them, sentences join and leave the batch.

Shapes: N rows of a step, S source positions, T subwords.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from seqtrans.search.coverage import pad_to_widest
from seqtrans.search.slots import Floats, Ints


@dataclass(frozen=True)
class Step:
    """The rows after a step."""

    parents_N: Ints
    """The row, among those of the step before, that each row continues."""
    tokens_N: Ints
    log_probs_N: Floats
    """The log-probability of each token."""

    def join(self, other: Step) -> Step:
        """These rows, followed by those of `other`."""
        return Step(*(np.concatenate(pair) for pair in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass
class Trace:
    """All steps of a search so far."""

    steps: list[Step] = field(default_factory=list)
    attention: list[Tensor | None] = field(default_factory=list)
    """For each step the attention weights [N, S] of the rows *before* it; None once they are no longer needed. Empty if
    the search keeps no attention."""

    def __len__(self) -> int:
        return len(self.steps)

    def read(self, row: int, first_step: int, end_step: int) -> tuple[list[int], list[float], list[Tensor]]:
        """Tokens, log-probabilities and attention weights [S] of the hypothesis in this row before step `end_step`.

        `first_step` is the step that holds its first token.
        """
        tokens: list[int] = []
        log_probs: list[float] = []
        weights: list[Tensor] = []
        for number in range(end_step - 1, first_step - 1, -1):
            step = self.steps[number]
            tokens.append(int(step.tokens_N[row]))
            log_probs.append(float(step.log_probs_N[row]))
            row = int(step.parents_N[row])
            if self.attention:
                attention = self.attention[number]
                assert attention is not None
                weights.append(attention[row])
        return tokens[::-1], log_probs[::-1], weights[::-1]

    def history(self, first_steps_N: Ints) -> Ints:
        """The tokens [N, T] of every row of the last step, aligned to the right and filled up with -1.

        `first_steps_N` is the step that holds the first token of each row.
        """
        rows = np.arange(len(first_steps_N))
        columns: list[Ints] = []
        for number in range(len(self.steps) - 1, int(first_steps_N.min(initial=len(self.steps))) - 1, -1):
            inside = number >= first_steps_N
            rows = np.where(inside, rows, 0)
            columns.append(np.where(inside, self.steps[number].tokens_N[rows], -1))
            rows = self.steps[number].parents_N[rows]
        return np.stack(columns[::-1], axis=1) if columns else np.zeros((len(first_steps_N), 0), dtype=np.int64)

    def free_attention(self, first_needed: int) -> None:
        """Free the attention weights of all steps before number `first_needed`."""
        for number in range(min(first_needed, len(self.attention)) - 1, -1, -1):
            if self.attention[number] is None:
                return
            self.attention[number] = None


def attention_matrix(weights: Sequence[Tensor], positions: int) -> Tensor:
    """The attention weights [T, positions] of a hypothesis from those of its steps, which may differ in padding."""
    return torch.stack([row[:positions] for row in weights]) if weights else torch.zeros(0, positions)


def join_rows(first: Tensor, second: Tensor) -> Tensor:
    """The rows [N, S] of two batches, one after the other. The narrower is padded."""
    return torch.cat(pad_to_widest(first, second))
