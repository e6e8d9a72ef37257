"""What a search knows of the sentences that it is at.

Shapes: B sentences, K hypotheses of each, n finished ones kept of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from seqtrans.model.parts import widened

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Arrays = TypeVar("Arrays")
"""A dataclass of arrays, whose first dimension is the sentence."""


def array(values: Tensor) -> Any:
    """On the processor, with 64 bits."""
    found = widened(values).cpu().numpy()
    return found.astype(np.float64) if found.dtype == np.float32 else found


@dataclass(frozen=True)
class Endings:
    """Finished hypotheses of each sentence: each a row of the trace before a step, followed by EOS."""

    scores_Bn: Floats
    """-inf where there is none."""
    log_probs_Bn: Floats
    eos_Bn: Floats
    """The log-probability of EOS."""
    steps_Bn: Ints
    rows_Bn: Ints

    def best(self, others: Endings) -> Endings:
        """As many as there are here, of both, best first. Of equal scores the first found comes first."""
        if (others.scores_Bn.max(axis=1) <= self.scores_Bn[:, -1]).all():  # as it mostly is towards the end
            return self
        both = _each(lambda *values: np.concatenate(values, axis=1), self, others)
        order = np.argsort(-both.scores_Bn, axis=1, kind="stable")[:, : self.scores_Bn.shape[1]]
        return _each(lambda values: np.take_along_axis(values, order, axis=1), both)


@dataclass(frozen=True)
class Slots:
    """The sentences in the batch, in the order of their rows."""

    numbers_B: Ints
    """Which of the requests each is."""
    started_B: Ints
    """The step of the trace that holds its first subword."""
    longest_B: Ints
    """The most subwords that a hypothesis may have."""
    over_B: NDArray[np.bool_]
    totals_BK: Floats
    """Log-probabilities of the unfinished hypotheses; -inf where there is none."""
    endings: Endings
    """The best so far."""

    @staticmethod
    def fresh(numbers: Ints, step: int, longest: Ints, n_best: int) -> Slots:
        """Sentences whose first subword comes next."""
        count = len(numbers)
        zeros, places = np.zeros((count, n_best)), np.zeros((count, n_best), dtype=np.int64)
        endings = Endings(zeros - np.inf, zeros, zeros, places, places)
        over = np.zeros(count, dtype=bool)
        return Slots(numbers, np.full(count, step), longest, over, np.zeros((count, 1)), endings)

    def __len__(self) -> int:
        return len(self.numbers_B)

    def select(self, kept: Ints) -> Slots:
        """Some of the sentences."""
        return _each(lambda values: values[kept], self)

    def join(self, other: Slots) -> Slots:
        """These sentences and, after them, others."""
        return _each(lambda *values: np.concatenate(values), self, other)


def _each(change: Callable[..., Any], *parts: Arrays) -> Arrays:
    """The same change of every array."""
    values = {}
    for f in fields(parts[0]):  # type: ignore[arg-type]  # there is no type of all dataclasses
        arrays = [getattr(part, f.name) for part in parts]
        values[f.name] = _each(change, *arrays) if isinstance(arrays[0], Endings) else change(*arrays)
    return type(parts[0])(**values)
