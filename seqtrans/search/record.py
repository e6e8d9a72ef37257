"""A record of each step of a search: the hypotheses that it kept, pruned and finished.

Shapes: K hypotheses after a step, k before it, m continuations of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqtrans.search.beam import Expansion, Survivors, possible_endings
from seqtrans.search.options import SearchOptions
from seqtrans.search.slots import Floats, Slots


@dataclass(frozen=True, slots=True)
class Continuation:
    """A hypothesis with one more subword."""

    parent: int
    """The position, among the hypotheses kept at the step before, of the one that it continues; 0 at the first step."""
    token: int
    log_prob: float
    """The natural log-probability of the token."""
    total: float
    """The natural log-probability of the whole hypothesis."""


@dataclass(frozen=True)
class FinishedHypothesis:
    """A hypothesis that ends with EOS at this step."""

    parent: int
    """As in `Continuation`."""
    log_prob: float
    """The natural log-probability of the whole hypothesis, EOS included."""
    score: float
    """See `Ranking`."""


@dataclass(frozen=True)
class SearchStep:
    """A step of the search for one sentence."""

    kept: list[Continuation]
    """The unfinished hypotheses after the step; a `total` of -inf marks an empty place of the beam."""
    pruned: list[Continuation]
    """The continuations that were not kept, likeliest first. At the maximum length these are all continuations."""
    finished: list[FinishedHypothesis]


Observer = Callable[[int, SearchStep], object]
"""A function that is called with the index of a request and the next step of its search."""


def observe(
    observer: Observer,
    slots: Slots,
    expansion: Expansion,
    next_slots: Slots,
    survivors: Survivors,
    step: int,
    options: SearchOptions,
) -> None:
    """Call the observer for every sentence whose search was not complete before the step."""
    endings = possible_endings(slots, expansion, step, options)
    totals_Bkm = slots.totals_BK[:, :, None] + expansion.log_probs_Bkm
    for slot in np.flatnonzero(~slots.done_B).tolist():
        kept = _survivors(survivors, next_slots, slot)
        kept_pairs = {(survivor.parent, survivor.token) for survivor in kept if survivor.total > -np.inf}
        continuations = _continuations(expansion, totals_Bkm, slot)
        pruned = [c for c in continuations if (c.parent, c.token) not in kept_pairs]
        finished = [
            FinishedHypothesis(parent, float(endings.log_probs_Bn[slot, parent]), score)
            for parent, score in enumerate(endings.scores_Bn[slot].tolist())
            if score > -np.inf
        ]
        search_step = SearchStep(kept, sorted(pruned, key=lambda continuation: -continuation.total), finished)
        observer(int(slots.requests_B[slot]), search_step)


def _survivors(survivors: Survivors, next_slots: Slots, slot: int) -> list[Continuation]:
    """The hypotheses of a sentence that stay in the beam."""
    return [
        Continuation(parent, token, log_prob, total)
        for parent, token, log_prob, total in zip(
            survivors.parents_BK[slot].tolist(),
            survivors.tokens_BK[slot].tolist(),
            survivors.log_probs_BK[slot].tolist(),
            next_slots.totals_BK[slot].tolist(),
            strict=True,
        )
    ]


def _continuations(expansion: Expansion, totals_Bkm: Floats, slot: int) -> list[Continuation]:
    """The continuations of a sentence's hypotheses that are possible."""
    return [
        Continuation(
            parent,
            int(expansion.tokens_Bkm[slot, parent, rank]),
            float(expansion.log_probs_Bkm[slot, parent, rank]),
            total,
        )
        for (parent, rank), total in np.ndenumerate(totals_Bkm[slot])
        if total > -np.inf
    ]
