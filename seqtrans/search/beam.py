"""One step of a beam search, and of greedy search, for a batch of sentences.

Each sentence keeps the K best unfinished hypotheses. At each step every one of them may end, and the K best of their
other continuations go on, so that ending does not narrow the beam. A search is over at the sentence's length limit,
or when no unfinished hypothesis can, whatever follows, enter the n-best: that stop changes nothing.

Greedy search keeps one hypothesis, and ends when nothing is likelier than the end.

Shapes: B sentences, k hypotheses of each before the step (1 at the first, then K), m continuations of each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from seqtrans.search.hypothesis import SearchOptions
from seqtrans.search.slots import Endings, Floats, Ints, Slots


@dataclass(frozen=True)
class Expansion:
    """What the model thinks of every hypothesis: natural log-probabilities."""

    end_Bk: Floats
    """Of EOS."""
    best_Bkm: Floats
    """Of the likeliest other subwords, likeliest first."""
    tokens_Bkm: Ints
    coverage_Bk: Floats
    """Of the source, by what was attended to so far; see `Ranking`."""


@dataclass(frozen=True)
class Chosen:
    """The unfinished hypotheses after a step."""

    parents_BK: Ints
    """Which of its sentence's k hypotheses each goes on from."""
    tokens_BK: Ints
    log_probs_BK: Floats
    """Of the tokens."""


def advance(slots: Slots, found: Expansion, step: int, options: SearchOptions) -> tuple[Slots, Chosen]:
    """Finish and go on: what is known of the sentences after the step, and what goes on.

    `step` is the number of this step in the trace.
    """
    lengths_B = step - slots.started_B + 1
    limit_B = slots.longest_B + 1
    endings = slots.endings.best(_endings(slots, found, step, lengths_B, options))
    totals = slots.totals_BK[:, :, None] + found.best_Bkm
    totals[lengths_B >= limit_B] = -np.inf
    chosen, totals_BK = _best(totals.reshape(len(slots), -1), options.beam)
    best_B = totals_BK[:, 0]
    if options.beam == 1:
        over_B = endings.scores_Bn[:, 0] > -np.inf
    else:
        over_B = endings.scores_Bn[:, -1] >= options.ranking.bound(best_B, lengths_B + 1, limit_B)
    over_B = slots.over_B | over_B | ~(best_B > -np.inf)
    tokens_BK = np.take_along_axis(found.tokens_Bkm.reshape(len(slots), -1), chosen, axis=1)
    log_probs_BK = np.take_along_axis(found.best_Bkm.reshape(len(slots), -1), chosen, axis=1)
    goes_on = Chosen(chosen // found.best_Bkm.shape[2], tokens_BK, log_probs_BK)
    return replace(slots, totals_BK=totals_BK, endings=endings, over_B=over_B), goes_on


def _endings(slots: Slots, found: Expansion, step: int, lengths_B: Ints, options: SearchOptions) -> Endings:
    """Every hypothesis, ended here; of a greedy search only one whose end is the likeliest."""
    log_probs = slots.totals_BK + found.end_Bk
    scores = options.ranking.score(log_probs, lengths_B[:, None], found.coverage_Bk)
    ends = log_probs > -np.inf
    if options.beam == 1:
        ends &= (found.end_Bk >= found.best_Bkm[:, :, 0]) | (lengths_B > slots.longest_B)[:, None]
    rows = np.arange(scores.size).reshape(scores.shape)
    return Endings(np.where(ends, scores, -np.inf), log_probs, found.end_Bk, np.full(rows.shape, step), rows)


def _best(totals: Floats, count: int) -> tuple[Ints, Floats]:
    """The places of the largest of each row, largest first, and they; of equal ones that are chosen the first first.

    Where a row has fewer, the first of them fills up, with -inf.
    """
    many = totals.shape[1]
    if many > 4 * count:
        places = np.sort(np.argpartition(-totals, count - 1, axis=1)[:, :count], axis=1)
        order = np.argsort(-np.take_along_axis(totals, places, axis=1), axis=1, kind="stable")
        places = np.take_along_axis(places, order, axis=1)
    else:
        places = np.argsort(-totals, axis=1, kind="stable")[:, :count]
    largest = np.take_along_axis(totals, places, axis=1)
    if many >= count:
        return places, largest
    missing = ((0, 0), (0, count - many))
    return np.pad(places, missing), np.pad(largest, missing, constant_values=-np.inf)
