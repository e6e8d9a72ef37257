"""The sentences that are searched together, before and after a step of the model.

Shapes: N rows, S source positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.search.beam import Survivors
from seqtrans.search.candidates import Candidates
from seqtrans.search.required import PhraseProgress
from seqtrans.search.scorer import SearchState
from seqtrans.search.slots import Slots
from seqtrans.search.trace import join_rows


@dataclass(frozen=True)
class SearchBatch:
    """The batch before a step."""

    slots: Slots
    ids_N: Tensor
    """The last subword of each row."""
    state: SearchState
    """The state of the scorer."""
    attention_sum_NS: Tensor | None
    """The sum of the attention weights of each row over all steps so far; None without a coverage penalty."""
    candidates: Candidates | None
    """The candidates of each sentence; None if every subword may follow."""
    progress: list[PhraseProgress]
    """The progress of each row through its required phrases; empty if no phrases are required."""

    def join(self, other: SearchBatch) -> SearchBatch:
        """These sentences, followed by those of `other`."""
        attention_sum = None
        if self.attention_sum_NS is not None and other.attention_sum_NS is not None:
            attention_sum = join_rows(self.attention_sum_NS, other.attention_sum_NS)
        candidates = None
        if self.candidates is not None and other.candidates is not None:
            candidates = self.candidates.join(other.candidates)
        ids = torch.cat([self.ids_N, other.ids_N])
        progress = self.progress + other.progress
        return SearchBatch(
            self.slots.join(other.slots), ids, self.state.join(other.state), attention_sum, candidates, progress
        )


@dataclass(frozen=True)
class StepResult:
    """The batch after a step, before rows are reordered and sentences leave it.

    `candidates` and `progress` are still those before the step.
    """

    slots: Slots
    survivors: Survivors
    state: SearchState
    weights_NS: Tensor
    """The attention weights of the step."""
    attention_sum_NS: Tensor | None
    """The sum of the attention weights of each row, those of the step included; None without a coverage penalty."""
    candidates: Candidates | None
    progress: list[PhraseProgress]

    @property
    def n_rows(self) -> int:
        """N, the number of rows before the step."""
        return len(self.weights_NS)
