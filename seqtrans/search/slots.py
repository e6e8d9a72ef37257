"""The state of the search for each sentence in the batch.

Shapes: B sentences, K hypotheses of each, n endings of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from seqtrans.model.tensors import at_least_float32

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Arrays = TypeVar("Arrays")
"""A dataclass of arrays. Dimension 0 of each is the sentence."""


def to_numpy(values: Tensor) -> Any:
    """A tensor as a NumPy array of 64-bit numbers."""
    numbers = at_least_float32(values).cpu().numpy()
    return numbers.astype(np.float64) if numbers.dtype == np.float32 else numbers


@dataclass(frozen=True)
class Endings:
    """Finished hypotheses of each sentence. An ending is a row of the trace, followed by EOS.

    `Slots` keeps the n best, best first. `possible_endings` gives one for each of k hypotheses, also for those that may
    not end.
    """

    scores_Bn: Floats
    """See `Ranking`; -inf where there is no hypothesis, or where it may not end."""
    log_probs_Bn: Floats
    """The log-probability of the whole hypothesis, EOS included."""
    eos_Bn: Floats
    """The log-probability of EOS."""
    steps_Bn: Ints
    """The step of the search at which EOS came."""
    rows_Bn: Ints
    """The row of the hypothesis before that step."""

    def merge(self, others: Endings) -> Endings:
        """The n best of these and `others`, best first. Of equal scores the earlier ending comes first."""
        if (others.scores_Bn.max(axis=1) <= self.scores_Bn[:, -1]).all():  # the usual case late in a search
            return self
        both = _map_arrays(lambda *values: np.concatenate(values, axis=1), self, others)
        order = np.argsort(-both.scores_Bn, axis=1, kind="stable")[:, : self.scores_Bn.shape[1]]
        return _map_arrays(lambda values: np.take_along_axis(values, order, axis=1), both)


@dataclass(frozen=True)
class Slots:
    """The sentences in the batch, in the order of their rows."""

    requests_B: Ints
    """The index of each sentence in the requests."""
    start_steps_B: Ints
    """The step of the trace that holds the first subword of each."""
    max_lengths_B: Ints
    """The most subwords that a hypothesis may have, EOS left out."""
    done_B: NDArray[np.bool_]
    """Whether the search for the sentence is complete."""
    totals_BK: Floats
    """Log-probabilities of the unfinished hypotheses; -inf where there is none."""
    endings: Endings
    """The best finished hypotheses so far."""

    @staticmethod
    def start(requests: Ints, step: int, max_lengths: Ints, n_best: int) -> Slots:
        """Sentences before their first step, which is step number `step` of the search."""
        count = len(requests)
        zeros, indices = np.zeros((count, n_best)), np.zeros((count, n_best), dtype=np.int64)
        endings = Endings(zeros - np.inf, zeros, zeros, indices, indices)
        done = np.zeros(count, dtype=bool)
        return Slots(requests, np.full(count, step), max_lengths, done, np.zeros((count, 1)), endings)

    def __len__(self) -> int:
        return len(self.requests_B)

    def select(self, kept: Ints) -> Slots:
        """The sentences at these positions."""
        return _map_arrays(lambda values: values[kept], self)

    def join(self, other: Slots) -> Slots:
        """These sentences, followed by those of `other`."""
        return _map_arrays(lambda *values: np.concatenate(values), self, other)


def _map_arrays(change: Callable[..., Any], *parts: Arrays) -> Arrays:
    """Apply `change` to corresponding arrays of the parts, also within `Endings`."""
    values = {}
    for f in fields(parts[0]):  # type: ignore[arg-type]  # typing has no type for all dataclasses
        arrays = [getattr(part, f.name) for part in parts]
        values[f.name] = _map_arrays(change, *arrays) if isinstance(arrays[0], Endings) else change(*arrays)
    return type(parts[0])(**values)
