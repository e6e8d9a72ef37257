"""One step of a beam search, and of greedy search, for a batch of sentences.

Each sentence keeps the K best unfinished hypotheses (see `selection` for what is best). At each step every one of them
may end, and the K best of their other continuations go on, so that ending does not narrow the beam. A search is over
at the sentence's length limit, or when no unfinished hypothesis can, whatever follows, enter the n-best: that stop
changes nothing.

Greedy search keeps one hypothesis, and ends when nothing is likelier than the end.

Shapes: B sentences, k hypotheses of each before the step (1 at the first, then K), m continuations of each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from seqtrans.search.hypothesis import SearchOptions
from seqtrans.search.selection import best, best_of_banks, best_of_groups
from seqtrans.search.slots import Endings, Floats, Ints, Slots


@dataclass(frozen=True)
class Expansion:
    """What the model thinks of every hypothesis: natural log-probabilities."""

    end_Bk: Floats
    """Of EOS."""
    best_Bkm: Floats
    """Of the likeliest other subwords, likeliest first, and of those that required phrases want."""
    tokens_Bkm: Ints
    coverage_Bk: Floats
    """Of the source, by what was attended to so far; see `Ranking`."""
    met_Bkm: Ints | None = None
    """How many subwords of required phrases there are after each, where any are required."""


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
    endings = slots.endings.best(finished(slots, found, step, options))
    totals = slots.totals_BK[:, :, None] + found.best_Bkm
    totals[lengths_B >= limit_B] = -np.inf
    chosen, totals_BK = _chosen(totals, found, options)
    best_B = totals_BK.max(axis=1)
    if options.beam == 1:
        over_B = endings.scores_Bn[:, 0] > -np.inf
    else:
        over_B = endings.scores_Bn[:, -1] >= options.ranking.bound(best_B, lengths_B + 1, limit_B)
    over_B = slots.over_B | over_B | ~(best_B > -np.inf)
    tokens_BK = np.take_along_axis(found.tokens_Bkm.reshape(len(slots), -1), chosen, axis=1)
    log_probs_BK = np.take_along_axis(found.best_Bkm.reshape(len(slots), -1), chosen, axis=1)
    goes_on = Chosen(chosen // found.best_Bkm.shape[2], tokens_BK, log_probs_BK)
    return replace(slots, totals_BK=totals_BK, endings=endings, over_B=over_B), goes_on


def _chosen(totals_Bkm: Floats, found: Expansion, options: SearchOptions) -> tuple[Ints, Floats]:
    """The places of those that go on, of each sentence, and their log-probabilities."""
    if options.groups > 1:
        return best_of_groups(totals_Bkm, found.tokens_Bkm, options.beam, options.groups, options.diversity)
    totals_BM = totals_Bkm.reshape(len(totals_Bkm), -1)
    if found.met_Bkm is not None:
        return best_of_banks(totals_BM, found.met_Bkm.reshape(totals_BM.shape), options.beam)
    return best(totals_BM, options.beam)


def finished(slots: Slots, found: Expansion, step: int, options: SearchOptions) -> Endings:
    """Every hypothesis, ended here; of a greedy search only one whose end is the likeliest."""
    lengths_B = step - slots.started_B + 1
    log_probs = slots.totals_BK + found.end_Bk
    scores = options.ranking.score(log_probs, lengths_B[:, None], found.coverage_Bk)
    ends = log_probs > -np.inf
    if options.beam == 1:
        ends &= (found.end_Bk >= found.best_Bkm[:, :, 0]) | (lengths_B > slots.longest_B)[:, None]
    rows = np.arange(scores.size).reshape(scores.shape)
    return Endings(np.where(ends, scores, -np.inf), log_probs, found.end_Bk, np.full(rows.shape, step), rows)
