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
from torch import Tensor

from seqtrans.model.shortlist import Shortlist
from seqtrans.randomness import uniform
from seqtrans.search.attended import attended_more, coverage_of
from seqtrans.search.beam import Chosen, Expansion, advance
from seqtrans.search.candidates import Candidates
from seqtrans.search.hypothesis import Hypothesis, Request, SearchOptions, nothing
from seqtrans.search.required import State
from seqtrans.search.restrictions import Restrictions, Rows
from seqtrans.search.sampling import draw
from seqtrans.search.scorer import SearchState, StepScorer
from seqtrans.search.shapes import REFILL, joining, remaining
from seqtrans.search.slots import Floats, Ints, Slots, array
from seqtrans.search.top import top
from seqtrans.search.trace import Step, Trace, alignment_of, joined_rows
from seqtrans.search.watching import Watch, tell
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID, EOS_ID

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


@dataclass(frozen=True)
class _Batch:
    """Sentences that are searched together, before a step."""

    slots: Slots
    ids_N: Tensor
    """The last subwords."""
    state: SearchState
    attended_NS: Tensor | None
    """What each row has attended to so far, where coverage counts."""
    candidates: Candidates | None
    """What may follow, where that is not every subword."""
    progress: list[State]
    """How far each row has come with what is required; nothing where nothing is."""

    def join(self, other: _Batch) -> _Batch:
        """These sentences and, after them, others."""
        attended = None
        if self.attended_NS is not None and other.attended_NS is not None:
            attended = joined_rows(self.attended_NS, other.attended_NS)
        candidates = None
        if self.candidates is not None and other.candidates is not None:
            candidates = self.candidates.join(other.candidates)
        ids = torch.cat([self.ids_N, other.ids_N])
        progress = self.progress + other.progress
        return _Batch(self.slots.join(other.slots), ids, self.state.join(other.state), attended, candidates, progress)


@dataclass(frozen=True)
class _Looked:
    """The same after the model and the search have looked at it, before anything moves."""

    slots: Slots
    chosen: Chosen
    state: SearchState
    weights_NS: Tensor
    attended_NS: Tensor | None
    candidates: Candidates | None
    progress: list[State]

    @property
    def rows(self) -> int:
        """N."""
        return len(self.weights_NS)


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

    def _step(self, batch: _Batch | None) -> _Batch | None:
        """One step of all that are in the batch, and the first of those who come in."""
        looked = None if batch is None else self._look(batch)
        over = np.ones(0, dtype=bool) if looked is None else looked.slots.over_B
        free = self.places - int((~over).sum())
        comes_in = joining(len(self.requests) - self.taken, free) if free >= max(1, self.places // REFILL) else 0
        parts: list[tuple[_Looked, Ints | None]] = []
        if looked is not None and not over.all():
            parts.append((looked, remaining(over, self.places, comes_in)))
        if comes_in:
            parts.append((self._look(self._fresh(comes_in)), None))
        return self._go_on(parts) if parts else None

    def _fresh(self, count: int) -> _Batch:
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
        return _Batch(slots, ids, state, attended, candidates, progress)

    def _look(self, batch: _Batch) -> _Looked:
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
        found = self._expansion(log_probs, batch)
        slots, chosen = advance(batch.slots, found, len(self.trace), self.options)
        if self.watch is not None:
            tell(self.watch, batch.slots, found, slots, chosen, len(self.trace), self.options)
        for slot in np.flatnonzero(slots.over_B & ~batch.slots.over_B).tolist():
            number = int(slots.numbers_B[slot])
            self.found[number] = self._read(slots, slot)
        attended = None if batch.attended_NS is None else attended_more(batch.attended_NS, weights)
        return _Looked(slots, chosen, state, weights, attended, batch.candidates, batch.progress)

    def _expansion(self, log_probs_NV: Tensor, batch: _Batch) -> Expansion:
        """What the search needs to know of the next subwords; EOS is taken away from the others."""
        shape = (len(batch.slots), len(log_probs_NV) // len(batch.slots))
        ends = array(log_probs_NV[:, EOS_ID].clone()).reshape(shape)
        coverage = np.zeros(shape)
        if batch.attended_NS is not None:
            lengths = [
                len(self.requests[number].source) for number in np.repeat(batch.slots.numbers_B, shape[1]).tolist()
            ]
            coverage = array(coverage_of(batch.attended_NS, lengths)).reshape(shape)
        if self.options.samples:
            return self._drawn(log_probs_NV, ends, coverage, batch)
        log_probs_NV[:, EOS_ID] = -torch.inf
        best, places = (array(values) for values in top(log_probs_NV, self.options.beam))
        tokens = places if batch.candidates is None else batch.candidates.ids(places)
        met = None
        if self.restrictions.requires:
            best, tokens, met = self._with_wanted(log_probs_NV, best, tokens, batch)
            met = met.reshape(*shape, -1)
        best, ends = (np.where(np.isnan(values), -np.inf, values) for values in (best, ends))
        return Expansion(ends, best.reshape(*shape, -1), tokens.reshape(*shape, -1), coverage, met)

    def _with_wanted(
        self, log_probs_NV: Tensor, best_Nm: Floats, tokens_Nm: Ints, batch: _Batch
    ) -> tuple[Floats, Ints, Ints]:
        """Continuations and, beside them, what brings required phrases on; and how many subwords of these there are."""
        each = len(log_probs_NV) // len(batch.slots)
        required = [self.restrictions.required[number] for number in np.repeat(batch.slots.numbers_B, each).tolist()]
        wanted = [one.wanted(state) for one, state in zip(required, batch.progress, strict=True)]
        more = np.full((len(wanted), max(map(len, wanted))), EOS_ID)
        for row, ids in enumerate(wanted):
            more[row, : len(ids)] = ids
        columns = more
        if batch.candidates is not None:
            row_of = np.repeat(np.arange(len(more)), more.shape[1])
            columns = batch.candidates.places(row_of, more.ravel(), len(more)).reshape(more.shape)
        values = array(log_probs_NV.gather(1, torch.from_numpy(columns).to(self.device)))
        values[(more[:, :, None] == tokens_Nm[:, None, :]).any(axis=2)] = -np.inf  # each continuation once
        tokens = np.concatenate([tokens_Nm, more], axis=1)
        met = [
            [one.met(one.after(state, token)) for token in row]
            for one, state, row in zip(required, batch.progress, tokens.tolist(), strict=True)
        ]
        return np.concatenate([best_Nm, values], axis=1), tokens, np.array(met)

    def _drawn(self, log_probs_NV: Tensor, ends_B1: Floats, coverage_B1: Floats, batch: _Batch) -> Expansion:
        """One subword for each sentence, or the end; what was not drawn counts for nothing.

        The numbers that decide depend on the seed, the sentence, the sample and the step, and on nothing else.
        """
        slots = batch.slots
        steps = zip(slots.numbers_B.tolist(), (len(self.trace) - slots.started_B).tolist(), strict=True)
        seed = self.options.sampling.seed
        uniforms = [
            uniform(seed, "sample", step, self.requests[number].sample, *self.requests[number].source)
            for number, step in steps
        ]
        places_N1 = draw(log_probs_NV, self.options.sampling, torch.tensor(uniforms, dtype=torch.float64)).unsqueeze(1)
        log_probs_B1 = array(log_probs_NV.gather(1, places_N1.to(self.device)))
        tokens_B1 = places_N1.numpy() if batch.candidates is None else batch.candidates.ids(places_N1.numpy())
        is_end = tokens_B1 == EOS_ID
        must_end = (len(self.trace) - slots.started_B >= slots.longest_B)[:, None]
        return Expansion(
            np.where(is_end | must_end, ends_B1, -np.inf),
            np.where(is_end, -np.inf, log_probs_B1)[:, :, None],
            tokens_B1[:, :, None],
            coverage_B1,
        )

    def _go_on(self, parts: Sequence[tuple[_Looked, Ints | None]]) -> _Batch:
        """Move the sentences that are kept (None: all) to where they belong, and write the step into the trace."""
        moved = [self._moved(*part) for part in parts]
        before = [0, *(looked.rows for looked, _ in parts)]
        steps = [replace(step, parents_N=step.parents_N + n) for (_, step), n in zip(moved, before, strict=False)]
        self.trace.steps.append(reduce(Step.join, steps))
        batch = reduce(_Batch.join, (part for part, _ in moved))
        if self.options.alignments:
            self.trace.attention.append(reduce(joined_rows, (looked.weights_NS for looked, _ in parts)))
            self.trace.forget(int(batch.slots.started_B.min()))
        return batch

    def _moved(self, looked: _Looked, kept: Ints | None) -> tuple[_Batch, Step]:
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
        return _Batch(slots, ids, looked.state.select(rows, sentences), attended, candidates, progress), step

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
