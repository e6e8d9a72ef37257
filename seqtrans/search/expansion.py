"""From the log-probabilities of all subwords to the continuations that a search considers.

Shapes: B sentences, k hypotheses of each, N = B * k rows, V target vocabulary (with a shortlist: the candidates of a
sentence), m continuations of a row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqtrans.randomness import uniform
from seqtrans.search.batch import SearchBatch
from seqtrans.search.beam import Expansion
from seqtrans.search.coverage import coverage_of
from seqtrans.search.hypothesis import Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.restrictions import Restrictions
from seqtrans.search.sampling import draw
from seqtrans.search.slots import Floats, Ints, to_numpy
from seqtrans.search.top import top
from seqtrans.text.subwords import EOS_ID


class Expander:
    """Finds the continuations of hypotheses: the likeliest and the required ones or, when sampling, a random one."""

    def __init__(
        self, requests: Sequence[Request], options: SearchOptions, restrictions: Restrictions, device: torch.device
    ) -> None:
        self.requests, self.options, self.restrictions, self.device = requests, options, restrictions, device

    def expansion(self, log_probs_NV: Tensor, batch: SearchBatch, step: int) -> Expansion:
        """The continuations of each row of the batch at step number `step`. EOS is returned separately.

        Overwrites `log_probs_NV`.
        """
        shape = (len(batch.slots), len(log_probs_NV) // len(batch.slots))
        eos = to_numpy(log_probs_NV[:, EOS_ID].clone()).reshape(shape)
        coverage = np.zeros(shape)
        if batch.attention_sum_NS is not None:
            requests = np.repeat(batch.slots.requests_B, shape[1]).tolist()
            lengths = [len(self.requests[number].source) for number in requests]
            coverage = to_numpy(coverage_of(batch.attention_sum_NS, lengths)).reshape(shape)
        if self.options.sample:
            return self._sample(log_probs_NV, eos, coverage, batch, step)
        log_probs_NV[:, EOS_ID] = -torch.inf
        best, columns = (to_numpy(values) for values in top(log_probs_NV, self.options.width))
        tokens = columns if batch.candidates is None else batch.candidates.tokens(columns)
        counts = None
        if self.restrictions.has_phrases:
            best, tokens, counts = self._with_required(log_probs_NV, best, tokens, batch)
            counts = counts.reshape(*shape, -1)
        best, eos = (np.where(np.isnan(values), -np.inf, values) for values in (best, eos))
        return Expansion(eos, best.reshape(*shape, -1), tokens.reshape(*shape, -1), coverage, counts)

    def _with_required(
        self, log_probs_NV: Tensor, best_Nm: Floats, tokens_Nm: Ints, batch: SearchBatch
    ) -> tuple[Floats, Ints, Ints]:
        """Add the next subwords of required phrases to the continuations.

        Returns log-probabilities and tokens of all continuations, and how many required subwords the hypothesis
        contains once each of them is added.
        """
        rows_per_sentence = len(log_probs_NV) // len(batch.slots)
        requests = np.repeat(batch.slots.requests_B, rows_per_sentence).tolist()
        phrases = [self.restrictions.required[number] for number in requests]
        next_subwords = [
            required.next_subwords(progress) for required, progress in zip(phrases, batch.progress, strict=True)
        ]
        additions = np.full((len(phrases), max(map(len, next_subwords))), EOS_ID)  # EOS, as padding, has -inf
        for row, ids in enumerate(next_subwords):
            additions[row, : len(ids)] = ids
        columns = additions
        if batch.candidates is not None:
            rows = np.repeat(np.arange(len(additions)), additions.shape[1])
            columns = batch.candidates.columns(rows, additions.ravel(), len(additions)).reshape(additions.shape)
        values = to_numpy(log_probs_NV.gather(1, torch.from_numpy(columns).to(self.device)))
        values[(additions[:, :, None] == tokens_Nm[:, None, :]).any(axis=2)] = -np.inf  # each continuation once
        tokens = np.concatenate([tokens_Nm, additions], axis=1)
        counts = [
            [required.count(required.next_progress(progress, token)) for token in ids]
            for required, progress, ids in zip(phrases, batch.progress, tokens.tolist(), strict=True)
        ]
        return np.concatenate([best_Nm, values], axis=1), tokens, np.array(counts)

    def _sample(
        self, log_probs_NV: Tensor, eos_B1: Floats, coverage_B1: Floats, batch: SearchBatch, step: int
    ) -> Expansion:
        """Draw one subword or EOS for each sentence; what was not drawn has -inf.

        The random numbers depend only on the seed, the sentence, the number of the sample and the step of its search.
        """
        slots = batch.slots
        lengths_B = step - slots.start_steps_B
        seed = self.options.sampling.seed
        uniforms = [
            uniform(seed, "sample", length, self.requests[number].sample, *self.requests[number].source)
            for number, length in zip(slots.requests_B.tolist(), lengths_B.tolist(), strict=True)
        ]
        columns_B1 = draw(log_probs_NV, self.options.sampling, torch.tensor(uniforms, dtype=torch.float64)).unsqueeze(1)
        log_probs_B1 = to_numpy(log_probs_NV.gather(1, columns_B1.to(self.device)))
        tokens_B1 = columns_B1.numpy() if batch.candidates is None else batch.candidates.tokens(columns_B1.numpy())
        is_end = tokens_B1 == EOS_ID
        must_end = (lengths_B >= slots.max_lengths_B)[:, None]
        return Expansion(
            np.where(is_end | must_end, eos_B1, -np.inf),
            np.where(is_end, -np.inf, log_probs_B1)[:, :, None],
            tokens_B1[:, :, None],
            coverage_B1,
        )
