"""The truth that searches are held against: every hypothesis there is, scored by teacher forcing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest
import torch

from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.search.hypothesis import Hypothesis
from seqtrans.search.options import SearchOptions
from seqtrans.search.ranking import Ranking
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID, UNK_ID

FIRST = 4
SIZES = [(1, 6), (2, 6), (3, 4), (4, 3)]
"""Subwords beside UNK, and how many of all a hypothesis may have."""

RULES = {
    "log-probability": Ranking(length_penalty=0),
    "per subword": Ranking(),
    "alpha 0.6": Ranking(length_penalty=0.6),
    "gnmt": Ranking(length_penalty=0.8, length_rule="gnmt"),
    "reward": Ranking(length_penalty=0, word_reward=0.7),
    "punishment": Ranking(length_penalty=0, word_reward=-0.4),
    "coverage": Ranking(length_penalty=0.9, length_rule="gnmt", coverage_penalty=0.3),
    "everything": Ranking(length_penalty=0.5, word_reward=0.2, coverage_penalty=0.1),
}
Make = Callable[..., Seq2Seq]
Sources = Callable[[int, int], list[list[int]]]


@dataclass(frozen=True)
class Truth:
    """A hypothesis, its log-probability and the coverage of the source by its subwords."""

    tokens: list[int]
    log_prob: float
    coverage: float

    def score(self, rule: Ranking) -> float:
        """As the equations have it."""
        length = len(self.tokens) + 1
        lp = ((5 + length) / 6 if rule.length_rule == "gnmt" else length) ** rule.length_penalty
        return self.log_prob / float(lp) + rule.word_reward * length + rule.coverage_penalty * self.coverage


def all_of(network: Seq2Seq, source: list[int], vocab: int, limit: int) -> list[Truth]:
    """Every hypothesis of at most `limit` subwords: UNK and all that are not special."""
    real = [UNK_ID, *range(FIRST, vocab)]
    tokens = [list(tokens) for length in range(limit + 1) for tokens in product(real, repeat=length)]
    inputs, outputs = (torch.full((limit + 1, len(tokens)), PAD_ID) for _ in range(2))
    for column, ids in enumerate(tokens):
        inputs[: len(ids) + 1, column] = torch.tensor([BOS_ID, *ids])
        outputs[: len(ids) + 1, column] = torch.tensor([*ids, EOS_ID])
    memory = network.encode(*pad_sources([source])).select(torch.zeros(len(tokens), dtype=torch.int64))
    log_probs = torch.log_softmax(network.logits(network.readouts(inputs, memory)), dim=2)
    chosen = log_probs.gather(2, outputs.unsqueeze(2)).squeeze(2).masked_fill(outputs == PAD_ID, 0).sum(dim=0)
    state = network.start(memory)
    attended = torch.zeros(len(tokens), len(source) + 1, dtype=log_probs.dtype)
    for ids_N, next_N in zip(inputs, outputs, strict=True):
        _, state, weights = network.step(ids_N, state, memory)
        attended += weights.masked_fill(((next_N == PAD_ID) | (next_N == EOS_ID)).unsqueeze(1), 0)
    coverage = attended[:, :-1].clamp(1e-10, 1).log().sum(dim=1)
    return [Truth(*found) for found in zip(tokens, chosen.tolist(), coverage.tolist(), strict=True)]


def options_for(rule: Ranking, limit: int, beam: int, n_best: int) -> SearchOptions:
    return SearchOptions(beam, n_best, **vars(rule), max_ratio=0, max_extra=limit)


def case(make: Make, seed: int) -> tuple[Seq2Seq, int, int]:
    """A network, its vocabulary and the limit of length."""
    others, limit = SIZES[seed % 4]
    vocab = FIRST + others
    return make(seed, vocab, sharpness=[0.3, 1, 3][seed % 7 % 3]), vocab, limit


def same(found: list[Hypothesis], truth: list[Truth], rule: Ranking, what: str) -> None:
    """The n-best is the n best of the truth; where two are as good, either may come first."""
    scores = {tuple(t.tokens): t for t in truth}
    ranked = sorted((t.score(rule) for t in truth), reverse=True)[: len(found)]
    assert [h.score for h in found] == pytest.approx(ranked, abs=1e-6), what
    assert len({tuple(h.tokens) for h in found}) == len(found), what
    for h in found:
        assert h.score == pytest.approx(scores[tuple(h.tokens)].score(rule), abs=1e-9), what
        assert h.log_prob == pytest.approx(scores[tuple(h.tokens)].log_prob, abs=1e-9), what
