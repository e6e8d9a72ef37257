"""Search until the best hypothesis under the model is proven to be the best there is.

Depth first, as in Stahlberg & Byrne 2019, section 3, with a beam's result as the first bound, and with several nodes
of one depth expanded at once: the likeliest first. A node is left out when whatever follows cannot beat the best
hypothesis so far.

Shapes: N nodes that are expanded together, S source positions, V target vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqtrans.search.attended import attended_more, coverage_of
from seqtrans.search.hypothesis import Hypothesis, Request, SearchOptions
from seqtrans.search.required import State
from seqtrans.search.restrictions import Restrictions, Rows
from seqtrans.search.scorer import SearchState, StepScorer
from seqtrans.search.slots import Floats, Ints, array
from seqtrans.search.trace import alignment_of
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID, EOS_ID

TOGETHER = 16
"""Nodes that are expanded at once."""


@dataclass(frozen=True)
class Proof:
    """The best hypothesis that was found, and whether it is the best there is."""

    best: Hypothesis
    proven: bool
    expansions: int
    """Hypotheses of which the model was asked what follows."""


@torch.no_grad()
def exact_search(
    scorer: StepScorer,
    request: Request,
    first: Hypothesis,
    options: SearchOptions,
    device: torch.device,
    forbidden: Sequence[int] = (),
) -> Proof:
    """The best hypothesis for one sentence, where `first` is one; it gives up after `max_expansions`."""
    return _Exact(scorer, request, first, options, device, forbidden).run()


@dataclass(frozen=True)
class _Path:
    """A hypothesis, from its end."""

    before: _Path | None
    token: int
    log_prob: float
    weights_S: Tensor

    def read(self) -> list[_Path]:
        """From its begin, BOS left out."""
        steps: list[_Path] = []
        at: _Path | None = self
        while at is not None and at.before is not None:
            steps.append(at)
            at = at.before
        return steps[::-1]


@dataclass
class _Frame:
    """What may follow the nodes that were expanded together, likeliest first; `taken` of it has been looked at."""

    parents: list[_Path]
    state: SearchState
    weights_NS: Tensor
    attended_NS: Tensor
    rows: Ints
    tokens: Ints
    log_probs: Floats
    totals: Floats
    length: int
    """Subwords of these continuations."""
    beyond: float
    """The total of the likeliest of those that are left out because no more may be expanded; -inf: there are none."""
    taken: int = field(default=0)


class _Exact:
    def __init__(
        self,
        scorer: StepScorer,
        request: Request,
        first: Hypothesis,
        options: SearchOptions,
        device: torch.device,
        forbidden: Sequence[int],
    ) -> None:
        self.scorer, self.request, self.options, self.device = scorer, request, options, device
        self.best, self.expansions = first, 0
        self.longest = options.max_length(request)
        self.restrictions = Restrictions([request], options, forbidden)

    def run(self) -> Proof:
        """Search."""
        source_SB, lengths_B = (t.to(self.device) for t in pad_sources([self.request.source]))
        nothing = torch.zeros(1, len(source_SB), device=self.device)
        root = _Path(None, BOS_ID, 0.0, nothing[0])
        frames = [self._expanded([root], np.zeros(1), 0, self.scorer.start(source_SB, lengths_B), nothing)]
        while frames:
            frame = frames[-1]
            taken = slice(frame.taken, frame.taken + TOGETHER)
            frame.taken += TOGETHER
            # the best may have got better since
            count = int(self._may_win(frame.totals[taken], frame.length).sum())
            if not count and not self._may_win(np.array([frame.beyond]), frame.length).any():
                frames.pop()
                continue
            if not count or self.expansions >= self.options.max_expansions:
                return Proof(self.best, False, self.expansions)
            chosen = slice(taken.start, taken.start + count)
            rows = torch.from_numpy(frame.rows[chosen]).to(self.device)
            paths = [
                _Path(frame.parents[row], token, log_prob, frame.weights_NS[row])
                for row, token, log_prob in zip(
                    frame.rows[chosen].tolist(),
                    frame.tokens[chosen].tolist(),
                    frame.log_probs[chosen].tolist(),
                    strict=True,
                )
            ]
            state, attended = frame.state.select(rows), frame.attended_NS[rows]
            frames.append(self._expanded(paths, frame.totals[chosen], frame.length, state, attended))
        return Proof(self.best, self.best.score > -np.inf, self.expansions)

    def _expanded(
        self, paths: list[_Path], totals_N: Floats, length: int, state: SearchState, attended_NS: Tensor
    ) -> _Frame:
        """End each of these hypotheses, which have `length` subwords, and see what else may follow."""
        self.expansions += len(paths)
        ids = torch.tensor([path.token for path in paths], device=self.device)
        logs, after, weights = self.scorer.step(ids, state)
        count = len(paths)
        lengths = np.full(count, length)
        self.restrictions.apply(
            logs, Rows(np.zeros(count, dtype=np.int64), lengths, lambda: _history(paths), lambda: self._progress(paths))
        )
        log_probs = array(logs)
        ends = totals_N + log_probs[:, EOS_ID]
        counts = self.options.ranking.coverage_penalty != 0
        coverage = array(coverage_of(attended_NS, [len(self.request.source)] * count)) if counts else 0.0
        scores = np.where(ends > -np.inf, self.options.ranking.score(ends, length + 1, coverage), -np.inf)
        winner = int(scores.argmax())
        if scores[winner] > self.best.score:
            self.best = self._hypothesis(paths[winner], scores[winner], ends[winner], log_probs[winner, EOS_ID])
        totals_NV = totals_N[:, None] + log_probs
        totals_NV[:, EOS_ID] = -np.inf
        rows, tokens = np.nonzero(self._may_win(totals_NV, length + 1) & (length < self.longest))
        totals = totals_NV[rows, tokens]
        order = np.argsort(-totals, kind="stable")
        # what is beyond the limit of expansions is not kept: these lists are most of the memory
        allowed = max(0, self.options.max_expansions - self.expansions)
        beyond = float(totals[order[allowed]]) if len(order) > allowed else -np.inf
        order = order[:allowed]
        rows, tokens = rows[order], tokens[order]
        return _Frame(
            paths,
            after,
            weights,
            attended_more(attended_NS, weights),
            rows,
            tokens,
            log_probs[rows, tokens],
            totals[order],
            length + 1,
            beyond,
        )

    def _progress(self, paths: list[_Path]) -> list[State]:
        (required,) = self.restrictions.required
        return [reduce(required.after, tokens.tolist(), required.start) for tokens in _history(paths)]

    def _may_win(self, totals: Floats, length: int) -> NDArray[np.bool_]:
        """Whether hypotheses of `length` subwords that are yet to end may score more than the best."""
        bound = self.options.ranking.bound(totals, length + 1, self.longest + 1)
        return (bound > self.best.score) & (totals > -np.inf)

    def _hypothesis(self, path: _Path, score: float, log_prob: float, end: float) -> Hypothesis:
        steps = path.read()
        alignment = None
        if self.options.alignments:
            alignment = alignment_of([step.weights_S for step in steps], len(self.request.source) + 1)
        log_probs = [*(step.log_prob for step in steps), float(end)]
        return Hypothesis([step.token for step in steps], float(score), float(log_prob), log_probs, alignment)


def _history(paths: list[_Path]) -> Ints:
    return np.array([[step.token for step in path.read()] for path in paths], dtype=np.int64).reshape(len(paths), -1)
