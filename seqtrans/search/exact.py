"""Exact search: depth-first branch and bound for the hypothesis with the highest score under the model.

As in Stahlberg & Byrne 2019, section 3, the result of a beam search gives the first bound. Here several nodes of one
depth are expanded at once, the likeliest first. A node is pruned if no continuation of it can have a higher score than
the best hypothesis so far.

Shapes: N nodes (unfinished hypotheses) that are expanded together, S source positions, V target vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqtrans.search.coverage import add_attention, coverage_of
from seqtrans.search.hypothesis import Hypothesis, Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.required import PhraseProgress
from seqtrans.search.restrictions import Restrictions, Rows
from seqtrans.search.scorer import SearchState, StepScorer
from seqtrans.search.slots import Floats, Ints, to_numpy
from seqtrans.search.trace import attention_matrix
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID, EOS_ID

NODES_AT_ONCE = 16
"""Nodes that are expanded together."""


@dataclass(frozen=True)
class Proof:
    """The best hypothesis so far, and whether it is proven to have the highest score of all."""

    best: Hypothesis
    proven: bool


@torch.no_grad()
def exact_search(
    scorer: StepScorer,
    request: Request,
    incumbent: Hypothesis,
    options: SearchOptions,
    device: torch.device,
    forbidden: Sequence[int] = (),
) -> Proof:
    """The best hypothesis for one sentence.

    The search starts from `incumbent`, the result of a beam search, and prunes what cannot have a higher score. It
    gives up the proof after `options.max_expansions` nodes. No hypothesis contains a `forbidden` subword, except in its
    prefix and required phrases.
    """
    return _ExactSearch(scorer, request, incumbent, options, device, forbidden).run()


@dataclass(frozen=True)
class _Path:
    """A node: an unfinished hypothesis, as a linked list from its last token to BOS."""

    parent: _Path | None
    token: int
    log_prob: float
    weights_S: Tensor
    """Attention weights of the step that predicted the token."""

    def read(self) -> list[_Path]:
        """Its steps from the first token on, BOS left out."""
        steps: list[_Path] = []
        step: _Path | None = self
        while step is not None and step.parent is not None:
            steps.append(step)
            step = step.parent
        return steps[::-1]


@dataclass
class _Frame:
    """The continuations of nodes that were expanded together, likeliest first."""

    parents: list[_Path]
    """These nodes."""
    state: SearchState
    """The state of the scorer after them."""
    weights_NS: Tensor
    """Attention weights of the step that predicts the continuations."""
    attention_sum_NS: Tensor
    """The sum of the attention weights so far, that step included."""
    rows: Ints
    """For each continuation, the index of its parent."""
    tokens: Ints
    log_probs: Floats
    totals: Floats
    """Log-probabilities of the whole hypotheses."""
    length: int
    """Number of subwords of a continuation."""
    best_discarded: float
    """The total of the likeliest continuation that is not kept, because `max_expansions` does not allow its expansion;
    -inf if there is none."""
    visited: int = field(default=0)
    """Number of continuations that have been expanded or pruned."""


class _ExactSearch:
    def __init__(
        self,
        scorer: StepScorer,
        request: Request,
        incumbent: Hypothesis,
        options: SearchOptions,
        device: torch.device,
        forbidden: Sequence[int],
    ) -> None:
        self.scorer, self.request, self.options, self.device = scorer, request, options, device
        self.best, self.expansions = incumbent, 0
        self.max_length = options.max_length(request)
        self.restrictions = Restrictions([request], options, forbidden)

    def run(self) -> Proof:
        """Search until the stack of frames is empty, or until no more nodes may be expanded."""
        source_SB, lengths_B = (t.to(self.device) for t in pad_sources([self.request.source]))
        no_attention = torch.zeros(1, len(source_SB), device=self.device)
        root = _Path(None, BOS_ID, 0.0, no_attention[0])
        frames = [self._expand([root], np.zeros(1), 0, self.scorer.start(source_SB, lengths_B), no_attention)]
        while frames:
            frame = frames[-1]
            next_continuations = slice(frame.visited, frame.visited + NODES_AT_ONCE)
            frame.visited += NODES_AT_ONCE
            # the best score may have risen since the frame was made
            count = int(self._may_win(frame.totals[next_continuations], frame.length).sum())
            if not count and not self._may_win(np.array([frame.best_discarded]), frame.length).any():
                frames.pop()
                continue
            if not count or self.expansions >= self.options.max_expansions:
                return Proof(self.best, False)
            nodes = slice(next_continuations.start, next_continuations.start + count)
            rows = torch.from_numpy(frame.rows[nodes]).to(self.device)
            paths = [
                _Path(frame.parents[row], token, log_prob, frame.weights_NS[row])
                for row, token, log_prob in zip(
                    frame.rows[nodes].tolist(),
                    frame.tokens[nodes].tolist(),
                    frame.log_probs[nodes].tolist(),
                    strict=True,
                )
            ]
            state, attention_sum_NS = frame.state.select(rows), frame.attention_sum_NS[rows]
            frames.append(self._expand(paths, frame.totals[nodes], frame.length, state, attention_sum_NS))
        return Proof(self.best, self.best.score > -np.inf)

    def _expand(
        self, paths: list[_Path], totals_N: Floats, length: int, state: SearchState, attention_sum_NS: Tensor
    ) -> _Frame:
        """End each of these nodes, which may give a new best hypothesis, and find its other continuations.

        Each node has `length` subwords.
        """
        self.expansions += len(paths)
        ids = torch.tensor([path.token for path in paths], device=self.device)
        log_probs_NV, next_state, weights_NS = self.scorer.step(ids, state)
        count = len(paths)
        requests, lengths = np.zeros(count, dtype=np.int64), np.full(count, length)
        self.restrictions.apply(
            log_probs_NV, Rows(requests, lengths, lambda: _history(paths), lambda: self._progress(paths))
        )
        log_probs = to_numpy(log_probs_NV)
        self._end(paths, totals_N, log_probs[:, EOS_ID], length + 1, attention_sum_NS)
        totals_NV = totals_N[:, None] + log_probs
        totals_NV[:, EOS_ID] = -np.inf
        rows, tokens = np.nonzero(self._may_win(totals_NV, length + 1) & (length < self.max_length))
        totals = totals_NV[rows, tokens]
        order = np.argsort(-totals, kind="stable")
        # these lists take most of the memory: keep no more continuations than may be expanded
        limit = max(0, self.options.max_expansions - self.expansions)
        best_discarded = float(totals[order[limit]]) if len(order) > limit else -np.inf
        order = order[:limit]
        rows, tokens = rows[order], tokens[order]
        return _Frame(
            paths,
            next_state,
            weights_NS,
            add_attention(attention_sum_NS, weights_NS),
            rows,
            tokens,
            log_probs[rows, tokens],
            totals[order],
            length + 1,
            best_discarded,
        )

    def _end(self, paths: list[_Path], totals_N: Floats, eos_N: Floats, length: int, attention_sum_NS: Tensor) -> None:
        """Add EOS to each node, and keep the best of these hypotheses if it is better than the best so far.

        `eos_N` are the log-probabilities of EOS; `length` includes it.
        """
        log_probs, ranking = totals_N + eos_N, self.options.ranking
        coverage = 0.0
        if ranking.coverage_penalty:
            coverage = to_numpy(coverage_of(attention_sum_NS, [len(self.request.source)] * len(paths)))
        scores = np.where(log_probs > -np.inf, ranking.score(log_probs, length, coverage), -np.inf)
        best = int(scores.argmax())
        if scores[best] > self.best.score:
            self.best = self._hypothesis(paths[best], scores[best], log_probs[best], eos_N[best])

    def _progress(self, paths: list[_Path]) -> list[PhraseProgress]:
        (required,) = self.restrictions.required
        return [reduce(required.next_progress, tokens.tolist(), required.start) for tokens in _history(paths)]

    def _may_win(self, totals: Floats, length: int) -> NDArray[np.bool_]:
        """Whether unfinished hypotheses of `length` subwords can still get a higher score than the best."""
        bound = self.options.ranking.bound(totals, length + 1, self.max_length + 1)
        return (bound > self.best.score) & (totals > -np.inf)

    def _hypothesis(self, path: _Path, score: float, log_prob: float, eos: float) -> Hypothesis:
        steps = path.read()
        attention = None
        if self.options.keeps_attention:
            attention = attention_matrix([step.weights_S for step in steps], len(self.request.source) + 1)
        log_probs = [*(step.log_prob for step in steps), float(eos)]
        return Hypothesis([step.token for step in steps], float(score), float(log_prob), log_probs, attention)


def _history(paths: list[_Path]) -> Ints:
    return np.array([[step.token for step in path.read()] for path in paths], dtype=np.int64).reshape(len(paths), -1)
