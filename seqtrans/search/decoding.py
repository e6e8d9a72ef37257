"""Searching many sentences in one batch: who is in it, and what was found of those who left.

The batch has so many places. Sentences that are over leave in groups, and waiting ones take their places: a group
makes its first step by itself, with one row a sentence, and joins the others. The encoder's memory is never copied
for the rows of a sentence, and hypotheses are back-pointers.

Shapes: B sentences in the batch, K hypotheses of each, N = B * k rows (k is 1 at a sentence's first step, then K),
S source positions, V target vocabulary (or the candidates out of it), m continuations of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import torch

from seqtrans.model.shortlist import Shortlist
from seqtrans.search.attended import attended_more
from seqtrans.search.batch import Batch, Looked
from seqtrans.search.beam import advance
from seqtrans.search.candidates import Candidates
from seqtrans.search.expansion import Expander
from seqtrans.search.hypothesis import Hypothesis, Request, SearchOptions, nothing
from seqtrans.search.restrictions import Restrictions, Rows
from seqtrans.search.scorer import StepScorer
from seqtrans.search.shapes import REFILL, joining, remaining
from seqtrans.search.slots import Ints, Slots
from seqtrans.search.trace import Step, Trace, alignment_of, joined_rows
from seqtrans.search.watching import Watch, tell
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID

CPU = torch.device("cpu")


@torch.no_grad()  # inference mode would keep autocast from caching weights
def search(
    scorer: StepScorer,
    requests: Sequence[Request],
    options: SearchOptions,
    batch_size: int,
    device: torch.device = CPU,
    forbidden: Sequence[int] = (),
    shortlist: Shortlist | None = None,
    watch: Watch | None = None,
) -> list[list[Hypothesis]]:
    """The `n_best` best finished hypotheses of each sentence, or so many `samples`, best first.

    `batch_size` sentences are searched at a time, or samples drawn.

    No hypothesis holds a subword that is `forbidden`, or one that is not on the `shortlist` of its source. `watch` is
    told of each step of a search.
    What is found depends neither on the batch size nor on the order, but for what rounding does to near ties.
    """
    allowed = _Allowed(forbidden, shortlist)
    if not options.samples:
        return _Search(scorer, requests, options, batch_size, device, allowed, watch).run()
    every = [replace(request, sample=number) for request in requests for number in range(options.samples)]
    drawn = _Search(scorer, every, replace(options, beam=1, n_best=1, groups=1), batch_size, device, allowed).run()
    groups = [drawn[start : start + options.samples] for start in range(0, len(drawn), options.samples)]
    return [sorted((h for (h,) in group), key=lambda h: -h.score) for group in groups]


@dataclass(frozen=True)
class _Allowed:
    """Which subwords a hypothesis may hold."""

    forbidden: Sequence[int]
    shortlist: Shortlist | None


class _Search:
    """The searches of some requests, `places` at a time."""

    def __init__(
        self,
        scorer: StepScorer,
        requests: Sequence[Request],
        options: SearchOptions,
        places: int,
        device: torch.device,
        allowed: _Allowed,
        watch: Watch | None = None,
    ) -> None:
        self.scorer, self.requests, self.options = scorer, requests, options
        self.places, self.device = places, device
        self.restrictions = Restrictions(requests, options, allowed.forbidden)
        self.expander = Expander(requests, options, self.restrictions, device)
        self.shortlist, self.watch = allowed.shortlist, watch
        self.trace = Trace()
        self.taken = 0
        """Requests that have had a place."""
        self.found: list[list[Hypothesis]] = [[] for _ in requests]

    def run(self) -> list[list[Hypothesis]]:
        """Search them all."""
        batch = self._step(None)
        while batch is not None:
            batch = self._step(batch)
        return self.found

    def _step(self, batch: Batch | None) -> Batch | None:
        """One step of all that are in the batch, and the first of those who come in."""
        looked = None if batch is None else self._look(batch)
        over = np.ones(0, dtype=bool) if looked is None else looked.slots.over_B
        free = self.places - int((~over).sum())
        comes_in = joining(len(self.requests) - self.taken, free) if free >= max(1, self.places // REFILL) else 0
        parts: list[tuple[Looked, Ints | None]] = []
        if looked is not None and not over.all():
            parts.append((looked, remaining(over, self.places, comes_in)))
        if comes_in:
            parts.append((self._look(self._fresh(comes_in)), None))
        return self._go_on(parts) if parts else None

    def _fresh(self, count: int) -> Batch:
        """The next requests, encoded."""
        numbers = np.arange(self.taken, self.taken + count)
        self.taken += count
        requests = self.requests[numbers[0] : numbers[-1] + 1]
        source_SB, lengths_B = pad_sources([request.source for request in requests])
        longest = np.array([self.options.max_length(request) for request in requests])
        slots = Slots.fresh(numbers, len(self.trace), longest, self.options.n_best)
        candidates = None if self.shortlist is None else Candidates.of(requests, self.shortlist)
        told = None if candidates is None else candidates.told.on(self.device)
        state = self.scorer.start(source_SB.to(self.device), lengths_B.to(self.device), told)
        ids = torch.full((len(numbers),), BOS_ID, device=self.device)
        attended = None
        if self.options.ranking.coverage_penalty:
            attended = torch.zeros(len(numbers), len(source_SB), device=self.device)
        progress = []
        if self.restrictions.requires:
            progress = [self.restrictions.required[number].start for number in numbers.tolist()]
        return Batch(slots, ids, state, attended, candidates, progress)

    def _look(self, batch: Batch) -> Looked:
        """Expand every hypothesis, decide which go on, and read out what is found of sentences that are over."""
        log_probs, state, weights = self.scorer.step(batch.ids_N, batch.state)
        each = len(log_probs) // len(batch.slots)
        started = np.repeat(batch.slots.started_B, each)
        rows = Rows(
            np.repeat(batch.slots.numbers_B, each),
            len(self.trace) - started,
            lambda: self.trace.history(started),
            lambda: batch.progress,
        )
        self.restrictions.apply(log_probs, rows, batch.candidates)
        found = self.expander.expansion(log_probs, batch, len(self.trace))
        slots, chosen = advance(batch.slots, found, len(self.trace), self.options)
        if self.watch is not None:
            tell(self.watch, batch.slots, found, slots, chosen, len(self.trace), self.options)
        for slot in np.flatnonzero(slots.over_B & ~batch.slots.over_B).tolist():
            number = int(slots.numbers_B[slot])
            self.found[number] = self._read(slots, slot)
        attended = None if batch.attended_NS is None else attended_more(batch.attended_NS, weights)
        return Looked(slots, chosen, state, weights, attended, batch.candidates, batch.progress)

    def _go_on(self, parts: Sequence[tuple[Looked, Ints | None]]) -> Batch:
        """Move the sentences that are kept (None: all) to where they belong, and write the step into the trace."""
        moved = [self._moved(*part) for part in parts]
        before = [0, *(looked.rows for looked, _ in parts)]
        steps = [replace(step, parents_N=step.parents_N + n) for (_, step), n in zip(moved, before, strict=False)]
        self.trace.steps.append(reduce(Step.join, steps))
        batch = reduce(Batch.join, (part for part, _ in moved))
        if self.options.alignments:
            self.trace.attention.append(reduce(joined_rows, (looked.weights_NS for looked, _ in parts)))
            self.trace.forget(int(batch.slots.started_B.min()))
        return batch

    def _moved(self, looked: Looked, kept: Ints | None) -> tuple[Batch, Step]:
        slots, chosen, sentences, candidates = looked.slots, looked.chosen, None, looked.candidates
        parents = chosen.parents_BK + np.arange(0, looked.rows, looked.rows // len(slots))[:, None]
        tokens, log_probs = chosen.tokens_BK, chosen.log_probs_BK
        if kept is not None:
            slots, parents, tokens, log_probs = slots.select(kept), parents[kept], tokens[kept], log_probs[kept]
            sentences = torch.from_numpy(kept).to(self.device)
            candidates = None if candidates is None else candidates.select(kept)
        step = Step(parents.ravel(), tokens.ravel(), log_probs.ravel())
        rows = None
        if not np.array_equal(step.parents_N, np.arange(looked.rows)):
            rows = torch.from_numpy(step.parents_N).to(self.device)
        attended = looked.attended_NS if rows is None or looked.attended_NS is None else looked.attended_NS[rows]
        ids = torch.from_numpy(step.tokens_N).to(self.device)
        progress = []
        if looked.progress:
            numbers = np.repeat(slots.numbers_B, len(step.tokens_N) // len(slots)).tolist()
            before = [looked.progress[row] for row in step.parents_N.tolist()]
            progress = [
                self.restrictions.required[number].after(state, token)
                for number, state, token in zip(numbers, before, step.tokens_N.tolist(), strict=True)
            ]
        return Batch(slots, ids, looked.state.select(rows, sentences), attended, candidates, progress), step

    def _read(self, slots: Slots, slot: int) -> list[Hypothesis]:
        """The n-best of a sentence that is over."""
        started, endings = int(slots.started_B[slot]), slots.endings
        positions = len(self.requests[int(slots.numbers_B[slot])].source) + 1
        found = []
        for place in np.flatnonzero(endings.scores_Bn[slot] > -np.inf).tolist():
            row, step = int(endings.rows_Bn[slot, place]), int(endings.steps_Bn[slot, place])
            tokens, log_probs, weights = self.trace.read(row, started, step)
            alignment = alignment_of(weights, positions) if self.options.alignments else None
            found.append(
                Hypothesis(
                    tokens,
                    float(endings.scores_Bn[slot, place]),
                    float(endings.log_probs_Bn[slot, place]),
                    [*log_probs, float(endings.eos_Bn[slot, place])],
                    alignment,
                )
            )
        return found or [nothing(positions if self.options.alignments else None)]
