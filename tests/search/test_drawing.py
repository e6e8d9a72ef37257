"""Translations drawn at random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.search.decoding import search
from seqtrans.search.hypothesis import Hypothesis, Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.scorer import ModelScorer
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID, UNK_ID
from tests.proving import with_seeds
from tests.search.truth import FIRST

Make = Callable[..., Seq2Seq]
Sources = Callable[[int, int], list[list[int]]]
SHORT = SearchOptions(max_ratio=1, max_extra=3)


def drawn(
    network: Seq2Seq, sources: list[list[int]], options: SearchOptions, batch_size: int = 7
) -> list[list[Hypothesis]]:
    return search(ModelScorer(network), [Request(source) for source in sources], options, batch_size)


def tokens(found: list[list[Hypothesis]]) -> list[list[list[int]]]:
    return [[h.tokens for h in n_best] for n_best in found]


def test_they_are_drawn_as_often_as_they_are_probable(random_network: Make, random_sources: Sources) -> None:
    network, (source,) = random_network(4, FIRST + 3, sharpness=0.3), random_sources(4, 1)
    network.output_bias[[PAD_ID, UNK_ID, BOS_ID]] = -99
    times = 3000
    (found,) = drawn(network, [source], SearchOptions(max_ratio=0, max_extra=1, sample=times), 500)
    counts = Counter(h.tokens[0] if h.tokens else EOS_ID for h in found)
    memory = network.encode(*pad_sources([source]))
    logits, _, _ = network.step(torch.tensor([BOS_ID]), network.start(memory), memory)
    expected = logits[0].softmax(dim=0).tolist()
    assert sum(p > 0.1 for p in expected) > 1
    assert sum(counts.values()) == times
    assert [counts[token] / times for token in range(FIRST + 3)] == pytest.approx(expected, abs=0.03)


def test_neither_batch_nor_order_matters_and_the_seed_does(random_network: Make, random_sources: Sources) -> None:
    network, sources = random_network(5, 12), random_sources(5, 10)
    options = replace(SHORT, sample=4)
    found = tokens(drawn(network, sources, options))
    assert tokens(drawn(network, sources, options, 64)) == found
    assert tokens(drawn(network, sources[::-1], options, 1))[::-1] == found
    assert len({str(n_best) for n_best in found}) > 5
    assert any(len({str(t) for t in n_best}) > 1 for n_best in found)
    other = replace(options, seed=2)
    assert tokens(drawn(network, sources, other)) != found


@with_seeds(3, 10)
def test_without_temperature_they_are_greedy(random_network: Make, random_sources: Sources, seeds: range) -> None:
    for seed in seeds:
        network, sources = random_network(seed, 12), random_sources(seed, 5)
        network.output_bias[UNK_ID] = -99  # which greedy search may say
        cold = replace(SHORT, sample=2, temperature=0, alignment="subwords")
        greedy = drawn(network, sources, replace(SHORT, beam=1, alignment="subwords"))
        for (one, other), (best,) in zip(drawn(network, sources, cold), greedy, strict=True):
            assert one.tokens == other.tokens == best.tokens
            assert one.score == pytest.approx(best.score)
            assert one.token_log_probs == pytest.approx(best.token_log_probs)
            torch.testing.assert_close(one.attention, best.attention)


@with_seeds(2, 6)
def test_they_are_sorted_and_keep_to_what_is_allowed(
    random_network: Make, random_sources: Sources, seeds: range
) -> None:
    for seed in seeds:
        network, sources = random_network(seed, 12), random_sources(seed, 6)
        requests = [Request(source, (5, 6)) for source in sources]
        options = replace(SHORT, sample=5, min_ratio=1)
        for source, n_best in zip(sources, search(ModelScorer(network), requests, options, 4), strict=True):
            scores = [h.score for h in n_best]
            assert scores == sorted(scores, reverse=True)
            for h in n_best:
                assert h.tokens[:2] == [5, 6]
                assert len(source) + 1 <= len(h.tokens) <= len(source) + 1 + 3 + 2
                assert len(h.token_log_probs) == len(h.tokens) + 1
