"""What a search did at each step: which hypotheses it kept, which it pruned, and which were finished.

Shapes: K hypotheses after a step, k before it, m continuations of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqtrans.search.beam import Chosen, Expansion, finished
from seqtrans.search.hypothesis import SearchOptions
from seqtrans.search.slots import Slots


@dataclass(frozen=True, slots=True)
class Continuation:
    """A hypothesis with one more subword."""

    parent: int
    """Which of the hypotheses kept at the step before it goes on from; 0 at the first step."""
    token: int
    log_prob: float
    """Of the token."""
    total: float
    """Of the whole."""


@dataclass(frozen=True)
class Finished:
    """A hypothesis and EOS."""

    parent: int
    log_prob: float
    """Of the whole."""
    score: float


@dataclass(frozen=True)
class SearchStep:
    """A step of the search for one sentence."""

    kept: list[Continuation]
    pruned: list[Continuation]
    """Those that were looked at and are not kept, likeliest first; at the limit of length all."""
    finished: list[Finished]


Watch = Callable[[int, SearchStep], object]
"""Is told the number of a request, and what happened at its next step."""


def tell(
    watch: Watch, before: Slots, found: Expansion, after: Slots, chosen: Chosen, step: int, options: SearchOptions
) -> None:
    """Tell of every sentence that was not over before."""
    endings = finished(before, found, step, options)
    totals_Bkm = before.totals_BK[:, :, None] + found.best_Bkm
    for slot in np.flatnonzero(~before.over_B).tolist():
        kept = [
            Continuation(parent, token, log_prob, total)
            for parent, token, log_prob, total in zip(
                chosen.parents_BK[slot].tolist(),
                chosen.tokens_BK[slot].tolist(),
                chosen.log_probs_BK[slot].tolist(),
                after.totals_BK[slot].tolist(),
                strict=True,
            )
        ]
        pairs = {(one.parent, one.token) for one in kept if one.total > -np.inf}
        looked_at = [
            Continuation(
                parent, int(found.tokens_Bkm[slot, parent, place]), float(found.best_Bkm[slot, parent, place]), total
            )
            for (parent, place), total in np.ndenumerate(totals_Bkm[slot])
            if total > -np.inf
        ]
        pruned = [one for one in looked_at if (one.parent, one.token) not in pairs]
        ends = [
            Finished(parent, float(endings.log_probs_Bn[slot, parent]), score)
            for parent, score in enumerate(endings.scores_Bn[slot].tolist())
            if score > -np.inf
        ]
        step_of = SearchStep(kept, sorted(pruned, key=lambda one: -one.total), ends)
        watch(int(before.numbers_B[slot]), step_of)
