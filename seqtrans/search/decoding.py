"""The search for many sentences in one batch. Sentences join and leave it while the search goes on.

The batch has a fixed number of places. Sentences whose search is complete leave it in groups, and a group of waiting
sentences takes their places. A new group makes its first step separately, with one row for each sentence, and then
joins the others. The rows of a sentence share its memory, and hypotheses are stored as back-pointers.

Shapes: B sentences in the batch, K hypotheses of each, N = B * k rows (k is 1 at a sentence's first step, then K),
S source positions, V target vocabulary (with a shortlist: the candidates of a sentence), m continuations of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import torch

from seqtrans.model.shortlist import Shortlist
from seqtrans.search.batch import SearchBatch, StepResult
from seqtrans.search.beam import advance_beams
from seqtrans.search.candidates import Candidates
from seqtrans.search.coverage import add_attention
from seqtrans.search.expansion import Expander
from seqtrans.search.hypothesis import Hypothesis, Request, no_hypothesis
from seqtrans.search.options import SearchOptions
from seqtrans.search.record import Observer, observe
from seqtrans.search.restrictions import Restrictions, Rows
from seqtrans.search.scorer import StepScorer
from seqtrans.search.shapes import REFILL, join_count, kept_sentences
from seqtrans.search.slots import Ints, Slots
from seqtrans.search.trace import Step, Trace, attention_matrix, join_rows
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID

CPU = torch.device("cpu")


@torch.no_grad()  # not inference_mode, in which autocast does not cache weights: that is slower
def search(
    scorer: StepScorer,
    requests: Sequence[Request],
    options: SearchOptions,
    batch_size: int,
    device: torch.device = CPU,
    forbidden: Sequence[int] = (),
    shortlist: Shortlist | None = None,
    observer: Observer | None = None,
) -> list[list[Hypothesis]]:
    """For each request the best finished hypotheses, at most `options.n_finished`, or all samples. The best is first.

    `batch_size` is the number of sentences (or samples) that are searched together. No hypothesis contains a
    `forbidden` subword or, with a `shortlist`, one that is not a candidate for its source; the subwords of its prefix
    and required phrases are excepted. The `observer` is called after each step of the search for a sentence, but not
    for samples.

    The result does not depend on the batch size or on the order of the requests, unless scores are so close that
    rounding decides between them.
    """
    allowed = _Allowed(forbidden, shortlist)
    if not options.sample:
        return _Search(scorer, requests, options, batch_size, device, allowed, observer).run()
    samples = [replace(request, sample=number) for request in requests for number in range(options.sample)]
    results = _Search(scorer, samples, options, batch_size, device, allowed).run()
    groups = [results[start : start + options.sample] for start in range(0, len(results), options.sample)]
    return [sorted((h for (h,) in group), key=lambda h: -h.score) for group in groups]


@dataclass(frozen=True)
class _Allowed:
    """The subwords that a hypothesis may contain."""

    forbidden: Sequence[int]
    shortlist: Shortlist | None


class _Search:
    """The search for some requests, at most `places` of them at a time."""

    def __init__(
        self,
        scorer: StepScorer,
        requests: Sequence[Request],
        options: SearchOptions,
        places: int,
        device: torch.device,
        allowed: _Allowed,
        observer: Observer | None = None,
    ) -> None:
        self.scorer, self.requests, self.options = scorer, requests, options
        self.places, self.device = places, device
        self.restrictions = Restrictions(requests, options, allowed.forbidden)
        self.expander = Expander(requests, options, self.restrictions, device)
        self.shortlist, self.observer = allowed.shortlist, observer
        self.trace = Trace()
        self.n_started = 0
        """Number of requests that have joined the batch so far."""
        self.hypotheses: list[list[Hypothesis]] = [[] for _ in requests]

    def run(self) -> list[list[Hypothesis]]:
        """Search for all requests."""
        batch = self._step(None)
        while batch is not None:
            batch = self._step(batch)
        return self.hypotheses

    def _step(self, batch: SearchBatch | None) -> SearchBatch | None:
        """One step of all sentences in the batch, and the first step of those that join it. Returns the next batch."""
        result = None if batch is None else self._expand_and_select(batch)
        done_B = np.ones(0, dtype=bool) if result is None else result.slots.done_B
        free = self.places - int((~done_B).sum())
        joins = join_count(len(self.requests) - self.n_started, free) if free >= max(1, self.places // REFILL) else 0
        parts: list[tuple[StepResult, Ints | None]] = []
        if result is not None and not done_B.all():
            parts.append((result, kept_sentences(done_B, self.places, joins)))
        if joins:
            parts.append((self._expand_and_select(self._start(joins)), None))
        return self._next_batch(parts) if parts else None

    def _start(self, count: int) -> SearchBatch:
        """A batch of the next `count` requests, encoded, before their first step."""
        numbers = np.arange(self.n_started, self.n_started + count)
        self.n_started += count
        requests = self.requests[numbers[0] : numbers[-1] + 1]
        source_SB, lengths_B = pad_sources([request.source for request in requests])
        max_lengths = np.array([self.options.max_length(request) for request in requests])
        slots = Slots.start(numbers, len(self.trace), max_lengths, self.options.n_finished)
        candidates = None if self.shortlist is None else Candidates.of(requests, self.shortlist)
        ids_BC = None if candidates is None else candidates.ids.on(self.device)
        state = self.scorer.start(source_SB.to(self.device), lengths_B.to(self.device), ids_BC)
        ids = torch.full((len(numbers),), BOS_ID, device=self.device)
        attention_sum = None
        if self.options.ranking.coverage_penalty:
            attention_sum = torch.zeros(len(numbers), len(source_SB), device=self.device)
        progress = []
        if self.restrictions.has_phrases:
            progress = [self.restrictions.required[number].start for number in numbers.tolist()]
        return SearchBatch(slots, ids, state, attention_sum, candidates, progress)

    def _expand_and_select(self, batch: SearchBatch) -> StepResult:
        """Expand every hypothesis, select the survivors, and store the hypotheses of sentences that are complete."""
        log_probs, state, weights = self.scorer.step(batch.ids_N, batch.state)
        rows_per_sentence = len(log_probs) // len(batch.slots)
        start_steps = np.repeat(batch.slots.start_steps_B, rows_per_sentence)
        rows = Rows(
            np.repeat(batch.slots.requests_B, rows_per_sentence),
            len(self.trace) - start_steps,
            lambda: self.trace.history(start_steps),
            lambda: batch.progress,
        )
        self.restrictions.apply(log_probs, rows, batch.candidates)
        expansion = self.expander.expansion(log_probs, batch, len(self.trace))
        slots, survivors = advance_beams(batch.slots, expansion, len(self.trace), self.options)
        if self.observer is not None:
            observe(self.observer, batch.slots, expansion, slots, survivors, len(self.trace), self.options)
        for slot in np.flatnonzero(slots.done_B & ~batch.slots.done_B).tolist():
            number = int(slots.requests_B[slot])
            self.hypotheses[number] = self._read(slots, slot)
        attention_sum = None if batch.attention_sum_NS is None else add_attention(batch.attention_sum_NS, weights)
        return StepResult(slots, survivors, state, weights, attention_sum, batch.candidates, batch.progress)

    def _next_batch(self, parts: Sequence[tuple[StepResult, Ints | None]]) -> SearchBatch:
        """Join the sentences that stay into the next batch, and append the step to the trace.

        `parts` are the old batch, the new sentences, or both, each with the positions of the sentences that stay (None:
        all).
        """
        batches = [self._reorder(*part) for part in parts]
        offsets = [0, *(result.n_rows for result, _ in parts)]  # rows of the second part follow those of the first
        steps = [replace(step, parents_N=step.parents_N + n) for (_, step), n in zip(batches, offsets, strict=False)]
        self.trace.steps.append(reduce(Step.join, steps))
        batch = reduce(SearchBatch.join, (part for part, _ in batches))
        if self.options.keeps_attention:
            self.trace.attention.append(reduce(join_rows, (result.weights_NS for result, _ in parts)))
            self.trace.free_attention(int(batch.slots.start_steps_B.min()))
        return batch

    def _reorder(self, result: StepResult, kept: Ints | None) -> tuple[SearchBatch, Step]:
        """The survivors of the sentences that stay as the rows of a batch, and as a step of the trace."""
        slots, survivors, sentences, candidates = result.slots, result.survivors, None, result.candidates
        parents = survivors.parents_BK + np.arange(0, result.n_rows, result.n_rows // len(slots))[:, None]
        tokens, log_probs = survivors.tokens_BK, survivors.log_probs_BK
        if kept is not None:
            slots, parents, tokens, log_probs = slots.select(kept), parents[kept], tokens[kept], log_probs[kept]
            sentences = torch.from_numpy(kept).to(self.device)
            candidates = None if candidates is None else candidates.select(kept)
        step = Step(parents.ravel(), tokens.ravel(), log_probs.ravel())
        rows = None
        if not np.array_equal(step.parents_N, np.arange(result.n_rows)):
            rows = torch.from_numpy(step.parents_N).to(self.device)
        attention_sum = result.attention_sum_NS
        if attention_sum is not None and rows is not None:
            attention_sum = attention_sum[rows]
        ids = torch.from_numpy(step.tokens_N).to(self.device)
        progress = []
        if result.progress:
            numbers = np.repeat(slots.requests_B, len(step.tokens_N) // len(slots)).tolist()
            previous = [result.progress[row] for row in step.parents_N.tolist()]
            progress = [
                self.restrictions.required[number].next_progress(state, token)
                for number, state, token in zip(numbers, previous, step.tokens_N.tolist(), strict=True)
            ]
        return SearchBatch(slots, ids, result.state.select(rows, sentences), attention_sum, candidates, progress), step

    def _read(self, slots: Slots, slot: int) -> list[Hypothesis]:
        """The n-best of a sentence whose search is complete."""
        start_step, endings = int(slots.start_steps_B[slot]), slots.endings
        positions = len(self.requests[int(slots.requests_B[slot])].source) + 1
        hypotheses = []
        for rank in np.flatnonzero(endings.scores_Bn[slot] > -np.inf).tolist():
            row, step = int(endings.rows_Bn[slot, rank]), int(endings.steps_Bn[slot, rank])
            tokens, log_probs, weights = self.trace.read(row, start_step, step)
            attention = attention_matrix(weights, positions) if self.options.keeps_attention else None
            hypotheses.append(
                Hypothesis(
                    tokens,
                    float(endings.scores_Bn[slot, rank]),
                    float(endings.log_probs_Bn[slot, rank]),
                    [*log_probs, float(endings.eos_Bn[slot, rank])],
                    attention,
                )
            )
        return hypotheses or [no_hypothesis(positions if self.options.keeps_attention else None)]
