"""From what a model says of every subword to what a search needs to know of the next ones.

Shapes: B sentences, k hypotheses of each, N = B * k rows, V target vocabulary (or the candidates out of it),
m continuations of a row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqtrans.randomness import uniform
from seqtrans.search.attended import coverage_of
from seqtrans.search.batch import Batch
from seqtrans.search.beam import Expansion
from seqtrans.search.hypothesis import Request, SearchOptions
from seqtrans.search.restrictions import Restrictions
from seqtrans.search.sampling import draw
from seqtrans.search.slots import Floats, Ints, array
from seqtrans.search.top import top
from seqtrans.text.subwords import EOS_ID


class Expander:
    """Picks out the continuations of hypotheses: the likeliest, those that are required, or one that is drawn."""

    def __init__(
        self, requests: Sequence[Request], options: SearchOptions, restrictions: Restrictions, device: torch.device
    ) -> None:
        self.requests, self.options, self.restrictions, self.device = requests, options, restrictions, device

    def expansion(self, log_probs_NV: Tensor, batch: Batch, step: int) -> Expansion:
        """Of a batch, at a step of the trace; EOS is taken away from the others."""
        shape = (len(batch.slots), len(log_probs_NV) // len(batch.slots))
        ends = array(log_probs_NV[:, EOS_ID].clone()).reshape(shape)
        coverage = np.zeros(shape)
        if batch.attended_NS is not None:
            lengths = [
                len(self.requests[number].source) for number in np.repeat(batch.slots.numbers_B, shape[1]).tolist()
            ]
            coverage = array(coverage_of(batch.attended_NS, lengths)).reshape(shape)
        if self.options.samples:
            return self._drawn(log_probs_NV, ends, coverage, batch, step)
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
        self, log_probs_NV: Tensor, best_Nm: Floats, tokens_Nm: Ints, batch: Batch
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

    def _drawn(self, log_probs_NV: Tensor, ends_B1: Floats, coverage_B1: Floats, batch: Batch, at: int) -> Expansion:
        """One subword for each sentence, or the end; what was not drawn counts for nothing.

        The numbers that decide depend on the seed, the sentence, the sample and the step, and on nothing else.
        """
        slots = batch.slots
        steps = zip(slots.numbers_B.tolist(), (at - slots.started_B).tolist(), strict=True)
        seed = self.options.sampling.seed
        uniforms = [
            uniform(seed, "sample", step, self.requests[number].sample, *self.requests[number].source)
            for number, step in steps
        ]
        places_N1 = draw(log_probs_NV, self.options.sampling, torch.tensor(uniforms, dtype=torch.float64)).unsqueeze(1)
        log_probs_B1 = array(log_probs_NV.gather(1, places_N1.to(self.device)))
        tokens_B1 = places_N1.numpy() if batch.candidates is None else batch.candidates.ids(places_N1.numpy())
        is_end = tokens_B1 == EOS_ID
        must_end = (at - slots.started_B >= slots.longest_B)[:, None]
        return Expansion(
            np.where(is_end | must_end, ends_B1, -np.inf),
            np.where(is_end, -np.inf, log_probs_B1)[:, :, None],
            tokens_B1[:, :, None],
            coverage_B1,
        )
