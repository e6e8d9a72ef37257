"""Beam search over a batch of sentences.

Each sentence keeps the K best unfinished hypotheses. Of the 2K best continuations those that end and rank
among the first K are finished, and the K best others go on, so that ending does not narrow the beam. The
search of a sentence ends when K hypotheses have finished, when the best finished one provably beats whatever
could still come, or at its length limit, where only EOS is allowed.

The encoder's memory is never copied per beam, hypotheses are back-pointers, and finished sentences leave in groups.

Shapes: S source steps, B sentences in the batch, k rows of each (1 at the first step, then K), N = B * k,
C candidates, V target vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from seqtrans.search.hypothesis import Hypothesis, SearchOptions
from seqtrans.search.scorer import StepScorer
from seqtrans.search.shapes import remaining
from seqtrans.search.top import top
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID


@dataclass(frozen=True)
class _Step:
    """The rows after one step: where each came from, and what it added."""

    parents: list[int]
    tokens: list[int]
    log_probs: list[float]


@dataclass(frozen=True)
class _Ending:
    """A finished hypothesis: the row `parent` after `step` subwords, followed by EOS."""

    score: float
    log_prob: float
    eos_log_prob: float
    step: int
    parent: int


class _Sentence:
    """One sentence's finished hypotheses, and whether its search is over."""

    def __init__(self, length: int, options: SearchOptions) -> None:
        self.options = options
        self.length = length
        self.limit = options.max_length(length)
        self.endings: list[_Ending] = []
        self.over = False

    def finish(self, step: int, log_prob: float, eos_log_prob: float, parent: int) -> None:
        """A hypothesis of `step` subwords ended, with EOS at `eos_log_prob`."""
        score = log_prob / (step + 1) ** self.options.length_penalty
        self.endings.append(_Ending(score, log_prob, eos_log_prob, step, parent))

    def look(self, best_unfinished: float) -> None:
        """End the search when enough has finished, or when nothing unfinished can enter the n-best.

        Log-probabilities only fall, and the longest hypothesis divides by most: an unfinished one of
        log-probability s scores at most s / (limit + 1)^alpha in the end.
        """
        bound = best_unfinished / (self.limit + 1) ** self.options.length_penalty
        wanted = self.options.n_best
        ranked = sorted((ending.score for ending in self.endings), reverse=True)
        beaten = len(ranked) >= wanted and ranked[wanted - 1] >= bound
        self.over = len(ranked) >= self.options.beam or beaten or not best_unfinished > -math.inf  # nothing, or NaN

    def hypotheses(self, trace: list[_Step], attention: list[Tensor]) -> list[Hypothesis]:
        """The n-best, best first, read back along the trace; of equal scores the first found comes first."""
        ranked = sorted(self.endings, key=lambda ending: -ending.score)
        if not ranked:  # only a model whose scores are not numbers finishes nothing
            return [Hypothesis([], 0.0, 0.0, [], torch.zeros(0, self.length) if attention else None)]
        return [self._hypothesis(ending, trace, attention) for ending in ranked[: self.options.n_best]]

    def _hypothesis(self, ending: _Ending, trace: list[_Step], attention: list[Tensor]) -> Hypothesis:
        row, tokens, log_probs, weights = ending.parent, [], [ending.eos_log_prob], []
        for step in range(ending.step - 1, -1, -1):
            tokens.append(trace[step].tokens[row])
            log_probs.append(trace[step].log_probs[row])
            row = trace[step].parents[row]
            if attention:
                weights.append(attention[step][row, : self.length])
        alignment = torch.stack(weights[::-1]) if weights else torch.zeros(0, self.length)
        return Hypothesis(
            tokens[::-1], ending.score, ending.log_prob, log_probs[::-1], alignment if attention else None
        )


@torch.no_grad()  # inference mode would keep autocast from caching weights
def beam_search(
    scorer: StepScorer, source_SB: Tensor, lengths_B: Tensor, options: SearchOptions
) -> list[list[Hypothesis]]:
    """The `n_best` best finished hypotheses of each sentence, best first."""
    width, device = options.beam, source_SB.device
    sentences = [_Sentence(length, options) for length in lengths_B.tolist()]
    alive = sentences
    trace: list[_Step] = []
    attention: list[Tensor] = []
    state = scorer.start(source_SB, lengths_B)
    ids = torch.full((len(alive),), BOS_ID, device=device)
    scores = torch.zeros(len(alive), 1, device=device)
    while True:
        step = len(trace)
        log_probs, state, weights = scorer.step(ids, state)
        if options.alignments:
            attention.append(weights)
        _forbid(log_probs, [sentence.limit == step for sentence in alive])
        best, parents, tokens = _candidates(log_probs.add_(scores.view(-1, 1)), len(alive), 2 * width)
        added = best - scores.gather(1, parents)
        rows = parents + torch.arange(len(alive), device=device).unsqueeze(1) * scores.shape[1]
        ends = tokens == EOS_ID
        for b, c in (ends[:, :width] & (best[:, :width] > -torch.inf)).nonzero().tolist():
            if not alive[b].over:
                alive[b].finish(step, float(best[b, c]), float(added[b, c]), int(rows[b, c]))
        scores, order = best.masked_fill(ends, -torch.inf).topk(width, dim=1)
        for sentence, unfinished in zip(alive, scores[:, 0].tolist(), strict=True):
            if not sentence.over:
                sentence.look(unfinished)
        over = [sentence.over for sentence in alive]
        if all(over):
            return [sentence.hypotheses(trace, attention) for sentence in sentences]
        kept = None
        if (stay := remaining(over)) is not None:
            kept = torch.tensor(stay, device=device)
            alive = [alive[b] for b in stay]
            scores, order, rows, tokens, added = (t[kept] for t in (scores, order, rows, tokens, added))
        chosen, ids, gained = (t.gather(1, order).flatten() for t in (rows, tokens, added))
        trace.append(_Step(chosen.tolist(), ids.tolist(), gained.tolist()))
        state = state.select(chosen, kept)


def _forbid(log_probs_NV: Tensor, last: list[bool]) -> None:
    """PAD and BOS are never generated; at its length limit a sentence can only end."""
    log_probs_NV[:, [PAD_ID, BOS_ID]] = -torch.inf
    if any(last):
        rows = len(log_probs_NV) // len(last)
        at_limit = torch.tensor(last, device=log_probs_NV.device).repeat_interleave(rows)
        ending = log_probs_NV[at_limit, EOS_ID]
        log_probs_NV[at_limit] = -torch.inf
        log_probs_NV[at_limit, EOS_ID] = ending


def _candidates(totals_NV: Tensor, sentences: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best continuations of each sentence: scores, parents (0..k-1) and tokens, [B, count] each."""
    vocab = totals_NV.shape[1]
    best, place = top(totals_NV.view(sentences, -1), count)
    missing = count - best.shape[1]
    if missing:
        best = F.pad(best, (0, missing), value=-torch.inf)
        place = F.pad(place, (0, missing))
    return best, place // vocab, place % vocab
