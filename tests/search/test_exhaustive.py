"""Beam search against the truth: every hypothesis there is, scored by teacher forcing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
import torch

from seqtrans.model.memory import Memory
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.search.beam import beam_search
from seqtrans.search.hypothesis import SearchOptions
from seqtrans.search.scorer import ModelScorer
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID, UNK_ID

MODELS = 168
FIRST = 4
N_BEST = 12


def all_hypotheses(vocab: int, limit: int) -> list[list[int]]:
    """Every sequence of at most `limit` subwords: UNK and all that are not special."""
    real = [UNK_ID, *range(FIRST, vocab)]
    return [list(tokens) for length in range(limit + 1) for tokens in product(real, repeat=length)]


def teacher_forced(network: Seq2Seq, memory: Memory, sentence: int, hypotheses: list[list[int]]) -> list[float]:
    """The log-probability of each hypothesis with its EOS, all at once."""
    steps = max(map(len, hypotheses)) + 1
    inputs, outputs = (torch.full((steps, len(hypotheses)), PAD_ID) for _ in range(2))
    for column, tokens in enumerate(hypotheses):
        inputs[: len(tokens) + 1, column] = torch.tensor([BOS_ID, *tokens])
        outputs[: len(tokens) + 1, column] = torch.tensor([*tokens, EOS_ID])
    copies = memory.select(torch.full((len(hypotheses),), sentence))
    log_probs = torch.log_softmax(network.logits(network.readouts(inputs, copies)), dim=2)
    chosen = log_probs.gather(2, outputs.unsqueeze(2)).squeeze(2)
    totals: list[float] = chosen.masked_fill(outputs == PAD_ID, 0).sum(dim=0).tolist()
    return totals


@pytest.mark.parametrize("alpha", [0, 0.6, 1])
@pytest.mark.parametrize("part", range(4))
def test_a_beam_as_wide_as_the_space_finds_the_best_there_is(
    random_network: Callable[..., Seq2Seq],
    random_sources: Callable[[int, int], list[list[int]]],
    alpha: float,
    part: int,
) -> None:
    for seed in range(part, MODELS, 4):
        # 3 to 5 subwords and UNK; of the larger vocabularies shorter hypotheses, as there are many
        vocab, limit = FIRST + 3 + seed % 3, 4 if seed % 3 == 0 else 3
        network = random_network(seed, vocab, sharpness=[0.3, 1, 3][seed % 7 % 3])
        sources = random_sources(seed, 2)
        hypotheses = all_hypotheses(vocab, limit)
        options = SearchOptions(
            beam=len(hypotheses) + 1, n_best=N_BEST, length_penalty=alpha, max_ratio=0, max_extra=limit
        )
        memory = network.encode(*pad_sources(sources))
        found = beam_search(ModelScorer(network), *pad_sources(sources), options)
        for sentence, n_best in enumerate(found):
            log_probs = teacher_forced(network, memory, sentence, hypotheses)
            ranked = sorted(
                ((p / (len(h) + 1) ** alpha, p, h) for p, h in zip(log_probs, hypotheses, strict=True)), reverse=True
            )[:N_BEST]
            assert [h.tokens for h in n_best] == [tokens for _, _, tokens in ranked], f"seed {seed}"
            assert [h.score for h in n_best] == pytest.approx([score for score, _, _ in ranked], abs=1e-9)
            assert [h.log_prob for h in n_best] == pytest.approx([p for _, p, _ in ranked], abs=1e-9)
