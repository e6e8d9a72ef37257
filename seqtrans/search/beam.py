"""One step of a beam search, and of greedy search, for a batch of sentences.

A sentence has at most K unfinished hypotheses. At each step every one of them may end with EOS, and the K best of their
other continuations stay in the beam, so that finished hypotheses take up no room in it (`selection` defines the best).
The search for a sentence is complete at its maximum length, or as soon as no unfinished hypothesis can enter the n-best
whatever follows. Stopping there does not change the result.

Greedy search keeps one hypothesis. It is complete when EOS is the likeliest continuation, or at the maximum length.

Shapes: B sentences, k hypotheses of each before the step (1 at the first, then K), m continuations of each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from seqtrans.search.options import SearchOptions
from seqtrans.search.selection import best, best_of_banks, best_of_groups
from seqtrans.search.slots import Endings, Floats, Ints, Slots


@dataclass(frozen=True)
class Expansion:
    """The continuations of every hypothesis, with natural log-probabilities."""

    eos_Bk: Floats
    """The log-probability of EOS."""
    log_probs_Bkm: Floats
    """Those of the likeliest other subwords, likeliest first, then those of the next subwords of required phrases."""
    tokens_Bkm: Ints
    """These subwords."""
    coverage_Bk: Floats
    """The coverage term c of `Ranking`."""
    required_Bkm: Ints | None = None
    """How many required subwords the hypothesis contains once this continuation is added (see
    `RequiredPhrases.count`); None if no phrases are required."""


@dataclass(frozen=True)
class Survivors:
    """The unfinished hypotheses after a step."""

    parents_BK: Ints
    """The hypothesis that each continues, from 0 to k - 1."""
    tokens_BK: Ints
    """The subword that it adds."""
    log_probs_BK: Floats
    """The natural log-probability of that subword."""


def advance_beams(slots: Slots, expansion: Expansion, step: int, options: SearchOptions) -> tuple[Slots, Survivors]:
    """Finish and continue the hypotheses of every sentence. Returns the slots after the step, and the survivors.

    `step` is the number of this step in the trace.
    """
    lengths_B = step - slots.start_steps_B + 1
    limit_B = slots.max_lengths_B + 1
    endings = slots.endings.merge(possible_endings(slots, expansion, step, options))
    totals = slots.totals_BK[:, :, None] + expansion.log_probs_Bkm
    totals[lengths_B >= limit_B] = -np.inf
    selection, totals_BK = _select(totals, expansion, options)
    best_B = totals_BK.max(axis=1)
    if options.width == 1:
        done_B = endings.scores_Bn[:, 0] > -np.inf
    else:
        done_B = endings.scores_Bn[:, -1] >= options.ranking.bound(best_B, lengths_B + 1, limit_B)
    done_B = slots.done_B | done_B | ~(best_B > -np.inf)
    tokens_BK = np.take_along_axis(expansion.tokens_Bkm.reshape(len(slots), -1), selection, axis=1)
    log_probs_BK = np.take_along_axis(expansion.log_probs_Bkm.reshape(len(slots), -1), selection, axis=1)
    survivors = Survivors(selection // expansion.log_probs_Bkm.shape[2], tokens_BK, log_probs_BK)
    return replace(slots, totals_BK=totals_BK, endings=endings, done_B=done_B), survivors


def _select(totals_Bkm: Floats, expansion: Expansion, options: SearchOptions) -> tuple[Ints, Floats]:
    """The positions [B, K], among the k * m continuations, of those that stay in the beam, and their totals [B, K]."""
    if options.groups > 1:
        return best_of_groups(totals_Bkm, expansion.tokens_Bkm, options.width, options.groups, options.diversity)
    totals_BM = totals_Bkm.reshape(len(totals_Bkm), -1)
    if expansion.required_Bkm is not None:
        return best_of_banks(totals_BM, expansion.required_Bkm.reshape(totals_BM.shape), options.width)
    return best(totals_BM, options.width)


def possible_endings(slots: Slots, expansion: Expansion, step: int, options: SearchOptions) -> Endings:
    """Each of the k hypotheses with EOS added, in their order; the score is -inf if it may not end.

    In greedy search a hypothesis may end only if EOS is the likeliest continuation, or at the maximum length.
    """
    lengths_B = step - slots.start_steps_B + 1
    log_probs = slots.totals_BK + expansion.eos_Bk
    scores = options.ranking.score(log_probs, lengths_B[:, None], expansion.coverage_Bk)
    ends = log_probs > -np.inf
    if options.width == 1:
        ends &= (expansion.eos_Bk >= expansion.log_probs_Bkm[:, :, 0]) | (lengths_B > slots.max_lengths_B)[:, None]
    rows = np.arange(scores.size).reshape(scores.shape)
    return Endings(np.where(ends, scores, -np.inf), log_probs, expansion.eos_Bk, np.full(rows.shape, step), rows)
