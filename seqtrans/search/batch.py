"""The sentences that a search is at together, before and after the model has looked at them.

Shapes: N rows, S source positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.search.beam import Chosen
from seqtrans.search.candidates import Candidates
from seqtrans.search.required import State
from seqtrans.search.scorer import SearchState
from seqtrans.search.slots import Slots
from seqtrans.search.trace import joined_rows


@dataclass(frozen=True)
class Batch:
    """Sentences that are searched together, before a step."""

    slots: Slots
    ids_N: Tensor
    """The last subwords."""
    state: SearchState
    attended_NS: Tensor | None
    """What each row has attended to so far, where coverage counts."""
    candidates: Candidates | None
    """What may follow, where that is not every subword."""
    progress: list[State]
    """How far each row has come with what is required; nothing where nothing is."""

    def join(self, other: Batch) -> Batch:
        """These sentences and, after them, others."""
        attended = None
        if self.attended_NS is not None and other.attended_NS is not None:
            attended = joined_rows(self.attended_NS, other.attended_NS)
        candidates = None
        if self.candidates is not None and other.candidates is not None:
            candidates = self.candidates.join(other.candidates)
        ids = torch.cat([self.ids_N, other.ids_N])
        progress = self.progress + other.progress
        return Batch(self.slots.join(other.slots), ids, self.state.join(other.state), attended, candidates, progress)


@dataclass(frozen=True)
class Looked:
    """The same after the model and the search have looked at it, before anything moves."""

    slots: Slots
    chosen: Chosen
    state: SearchState
    weights_NS: Tensor
    attended_NS: Tensor | None
    candidates: Candidates | None
    progress: list[State]

    @property
    def rows(self) -> int:
        """N."""
        return len(self.weights_NS)
