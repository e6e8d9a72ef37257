"""What greedy and beam search promise, on random networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from seqtrans.model.memory import Memory
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.search.decoding import search
from seqtrans.search.hypothesis import Hypothesis, Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.scorer import ModelScorer, ModelState
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID, UNK_ID
from tests.proving import with_seeds

VOCAB = 12
MakeNetwork = Callable[..., Seq2Seq]
MakeSources = Callable[[int, int], list[list[int]]]

searches = pytest.mark.parametrize(
    "options",
    [
        pytest.param(SearchOptions(beam=1), id="greedy"),
        pytest.param(SearchOptions(beam=4, n_best=4), id="beam 4"),
        pytest.param(SearchOptions(beam=7, n_best=2, length_penalty=0.6), id="beam 7"),
        pytest.param(
            SearchOptions(beam=5, n_best=2, length_penalty=0.8, length_rule="gnmt", coverage_penalty=0.2), id="gnmt"
        ),
        pytest.param(SearchOptions(beam=40, n_best=3), id="wider than the vocabulary"),
    ],
)
SHORT: dict[str, Any] = {"max_ratio": 1.0, "max_extra": 3}


def run(
    network: Seq2Seq, sources: list[list[int]], options: SearchOptions, batch_size: int = 64
) -> list[list[Hypothesis]]:
    return search(ModelScorer(network), [Request(source) for source in sources], options, batch_size)


def next_log_probs(network: Seq2Seq, memory: Memory, prefixes: list[list[int]]) -> Tensor:
    """Log-probabilities of what follows each prefix (all of one length), by teacher forcing."""
    inputs = torch.tensor([[BOS_ID, *prefix] for prefix in prefixes]).t()
    copies = memory.select(torch.zeros(len(prefixes), dtype=torch.int64))
    return torch.log_softmax(network.logits(network.readouts(inputs, copies)), dim=2)[-1]


def plain_search(network: Seq2Seq, source: list[int], options: SearchOptions) -> list[tuple[float, list[int]]]:
    """The search that beam.py describes, one sentence, up to the limit of length: the n-best."""
    memory = network.encode(*pad_sources([source]))
    limit, width = options.max_length(Request(source)), options.beam
    unfinished: list[tuple[float, list[int]]] = [(0.0, [])]
    finished: list[tuple[float, list[int]]] = []
    for length in range(limit + 1):
        log_probs = next_log_probs(network, memory, [tokens for _, tokens in unfinished]).tolist()
        rows = list(zip(unfinished, log_probs, strict=True))
        finished += [
            ((total + row[EOS_ID]) / (length + 1) ** options.ranking.length_penalty, tokens)
            for (total, tokens), row in rows
        ]
        longer = [
            (total + row[token], [*tokens, token])
            for (total, tokens), row in rows
            for token in [UNK_ID, *range(4, VOCAB)]
        ]
        unfinished = sorted(longer, key=lambda c: -c[0])[:width]
    return sorted(finished, key=lambda f: -f[0])[: options.n_best]


def plain_greedy(network: Seq2Seq, source: list[int], options: SearchOptions) -> list[int]:
    """The likeliest subword, step by step, until it is EOS."""
    memory = network.encode(*pad_sources([source]))
    tokens: list[int] = []
    while len(tokens) < options.max_length(Request(source)):
        log_probs = next_log_probs(network, memory, [tokens])[0]
        log_probs[[PAD_ID, BOS_ID]] = -torch.inf
        if (token := int(log_probs.argmax())) == EOS_ID:
            break
        tokens.append(token)
    return tokens


class Counting(ModelScorer):
    """Counts the steps that a search takes."""

    steps = 0

    def step(self, ids_N: Tensor, state: ModelState) -> tuple[Tensor, ModelState, Tensor]:
        self.steps += 1
        return super().step(ids_N, state)


@with_seeds(6, 24)
@pytest.mark.parametrize("alpha", [0, 0.6, 1])
@pytest.mark.parametrize("n_best", [1, 3])
def test_a_beam_does_what_it_says(
    random_network: MakeNetwork, random_sources: MakeSources, alpha: float, n_best: int, seeds: range
) -> None:
    shorter = 0
    for seed in seeds:
        network = random_network(seed, VOCAB, sharpness=[0.5, 1.5, 4][seed % 3])
        network.output_bias[EOS_ID] += seed % 5  # some like to end soon
        options = SearchOptions(beam=[3, 5, 8, 12][seed % 4], n_best=n_best, length_penalty=alpha, **SHORT)
        for source in random_sources(seed, 2):
            scorer = Counting(network)
            (found,) = search(scorer, [Request(source)], options, 1)
            expected = plain_search(network, source, options)
            assert [h.tokens for h in found] == [tokens for _, tokens in expected], f"seed {seed}"
            assert [h.score for h in found] == pytest.approx([score for score, _ in expected], abs=1e-9)
            shorter += scorer.steps < options.max_length(Request(source)) + 1
    assert shorter > 0, "no search ended early: the bound does nothing"


@with_seeds(4, 20)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_a_beam_of_one_is_greedy(
    random_network: MakeNetwork, random_sources: MakeSources, dtype: torch.dtype, seeds: range
) -> None:
    for seed in seeds:
        network, sources = random_network(seed, VOCAB, dtype), random_sources(seed, 9)
        options = SearchOptions(beam=1, **SHORT)
        for source, (found,) in zip(sources, run(network, sources, options), strict=True):
            assert found.tokens == plain_greedy(network, source, options)


@with_seeds(2, 8)
@searches
def test_an_n_best_is_sorted_and_without_repetitions(
    random_network: MakeNetwork, random_sources: MakeSources, options: SearchOptions, seeds: range
) -> None:
    for seed in seeds:
        network, sources = random_network(seed, VOCAB), random_sources(seed, 6)
        for n_best in run(network, sources, replace(options, **SHORT)):
            assert 1 <= len(n_best) <= options.n_best
            assert [h.score for h in n_best] == sorted((h.score for h in n_best), reverse=True)
            assert len({tuple(h.tokens) for h in n_best}) == len(n_best)


@with_seeds(3, 12)
@pytest.mark.parametrize("alpha", [0, 0.6, 1])
@pytest.mark.parametrize("beam", [2, 5])
def test_the_first_of_the_n_best_is_the_one_best(
    random_network: MakeNetwork, random_sources: MakeSources, alpha: float, beam: int, seeds: range
) -> None:
    for seed in seeds:
        network, sources = random_network(seed, VOCAB), random_sources(seed, 5)
        options = SearchOptions(beam=beam, length_penalty=alpha, **SHORT)
        one = run(network, sources, options)
        many = run(network, sources, replace(options, n_best=beam))
        assert [n_best[0].tokens for n_best in many] == [n_best[0].tokens for n_best in one]
        scores = [n_best[0].score for n_best in one]
        assert [n_best[0].score for n_best in many] == pytest.approx(scores, abs=1e-10)


@with_seeds(2, 6)
@searches
def test_log_probabilities_are_those_of_teacher_forcing(
    random_network: MakeNetwork, random_sources: MakeSources, options: SearchOptions, seeds: range
) -> None:
    for seed in seeds:
        network, sources = random_network(seed, VOCAB), random_sources(seed, 5)
        for source, n_best in zip(sources, run(network, sources, replace(options, **SHORT)), strict=True):
            memory = network.encode(*pad_sources([source]))
            for h in n_best:
                forced = [
                    float(next_log_probs(network, memory, [h.tokens[:i]])[0, token])
                    for i, token in enumerate([*h.tokens, EOS_ID])
                ]
                assert h.token_log_probs == pytest.approx(forced, abs=1e-10)
                assert h.log_prob == pytest.approx(sum(forced), abs=1e-10)
                assert h.log_prob == pytest.approx(math.fsum(h.token_log_probs), abs=1e-10)
                if not options.ranking.coverage_penalty:
                    score = options.ranking.score(h.log_prob, len(forced))
                    assert h.score == pytest.approx(score, abs=1e-10)


@searches
def test_neither_batch_nor_order_matters(
    random_network: MakeNetwork, random_sources: MakeSources, options: SearchOptions
) -> None:
    network, sources = random_network(6, VOCAB, torch.float32), random_sources(5, 16)
    options = replace(options, **SHORT)

    def tokens(batch: int, lines: list[list[int]]) -> list[list[list[int]]]:
        return [[h.tokens for h in n_best] for n_best in run(network, lines, options, batch)]

    alone = tokens(1, sources)
    assert len({str(n_best) for n_best in alone}) > 5  # different sentences, different outputs
    for batch in (5, 16):
        assert tokens(batch, sources) == alone
        assert tokens(batch, sources[::-1]) == alone[::-1]


@with_seeds(3, 12)
@searches
def test_attention_is_weights_over_the_source(
    random_network: MakeNetwork, random_sources: MakeSources, options: SearchOptions, seeds: range
) -> None:
    lengths = set()
    for seed in seeds:
        network, sources = random_network(seed, VOCAB), random_sources(seed, 6)
        found = run(network, sources, replace(options, alignment="subwords", **SHORT))
        without = run(network, sources, replace(options, **SHORT))
        for source, n_best, plain in zip(sources, found, without, strict=True):
            assert [h.tokens for h in n_best] == [h.tokens for h in plain]
            assert all(h.attention is None for h in plain)
            for h in n_best:
                assert h.attention is not None
                assert h.attention.shape == (len(h.tokens), len(source) + 1)
                lengths.add(len(h.tokens))
                if network.aligns:
                    ones = torch.ones(len(h.tokens), dtype=h.attention.dtype)
                    torch.testing.assert_close(h.attention.sum(dim=1), ones)
    assert len(lengths) > 2


@with_seeds(1, 4)
@searches
def test_attention_stays_what_it_is_while_sentences_come_and_go(
    random_network: MakeNetwork, options: SearchOptions, seeds: range
) -> None:
    sources = [[4 + (length + i) % 4 for i in range(length)] for length in range(20, 0, -2)]
    for seed in seeds:
        network = random_network(seed, VOCAB)
        wanted = replace(options, alignment="subwords", max_ratio=0.5, max_extra=3)
        together, alone = (run(network, sources, wanted, size) for size in (4, 1))
        for one, other in zip(together, alone, strict=True):
            for h, expected in zip(one, other, strict=True):
                assert h.tokens == expected.tokens
                torch.testing.assert_close(h.attention, expected.attention)


@with_seeds(2, 6)
@searches
def test_attention_is_that_of_teacher_forcing(
    random_network: MakeNetwork, random_sources: MakeSources, options: SearchOptions, seeds: range
) -> None:
    for seed in seeds:
        network, sources = random_network(seed, VOCAB), random_sources(seed, 4)
        found = run(network, sources, replace(options, alignment="subwords", **SHORT))
        for source, n_best in zip(sources, found, strict=True):
            memory = network.encode(*pad_sources([source]))
            for h in n_best:
                state = network.start(memory)
                assert h.attention is not None
                for token, row in zip([BOS_ID, *h.tokens[:-1]], h.attention, strict=False):
                    _, state, weights = network.step(torch.tensor([token]), state, memory)
                    torch.testing.assert_close(row, weights[0], rtol=1e-10, atol=1e-10)


@with_seeds(2, 6)
@searches
@pytest.mark.parametrize(("ratio", "extra"), [(0.0, 0), (0.0, 1), (0.5, 0), (1.0, 2)])
def test_no_hypothesis_is_longer_than_allowed_and_none_holds_special_subwords(
    random_network: MakeNetwork,
    random_sources: MakeSources,
    options: SearchOptions,
    ratio: float,
    extra: int,
    seeds: range,
) -> None:
    for seed in seeds:
        network, sources = random_network(seed, VOCAB), random_sources(seed, 6)
        network.output_bias[[PAD_ID, BOS_ID]] = 20  # what the network would love to say
        network.output_bias[EOS_ID] = -1000  # so that the longest are the best, by every rule
        limits = replace(options, max_ratio=ratio, max_extra=extra)
        for source, n_best in zip(sources, run(network, sources, limits), strict=True):
            limit = int(ratio * (len(source) + 1)) + extra
            assert limits.max_length(Request(source)) == limit
            for h in n_best:
                assert len(h.tokens) <= limit
                assert not {PAD_ID, BOS_ID, EOS_ID} & set(h.tokens)
                assert len(h.token_log_probs) == len(h.tokens) + 1
                assert math.isfinite(h.score)
            assert max(len(h.tokens) for h in n_best) == limit


@searches
def test_a_network_that_only_ends_gives_empty_hypotheses(
    random_network: MakeNetwork, random_sources: MakeSources, options: SearchOptions
) -> None:
    network, sources = random_network(3, VOCAB), random_sources(3, 5)
    network.output_bias[EOS_ID] = 500
    for n_best in run(network, sources, options):
        assert n_best[0].tokens == []
        assert n_best[0].log_prob == pytest.approx(0, abs=1e-9)


@searches
def test_a_network_whose_scores_are_no_numbers_gives_one_empty_hypothesis(
    random_network: MakeNetwork, random_sources: MakeSources, options: SearchOptions
) -> None:
    network, sources = random_network(3, VOCAB), random_sources(3, 5)
    with torch.no_grad():
        network.output_bias.fill_(math.nan)
    for keeps_attention in (False, True):
        wanted = replace(options, alignment="words" if keeps_attention else "none")
        for source, (only, *others) in zip(sources, run(network, sources, wanted), strict=True):
            assert (only.tokens, only.token_log_probs, others) == ([], [], [])
            assert only.score == only.log_prob == -math.inf
            assert (None if only.attention is None else only.attention.shape) == (
                (0, len(source) + 1) if keeps_attention else None
            )


def test_a_wider_beam_that_holds_all_is_at_least_as_good_as_greedy(
    random_network: MakeNetwork, random_sources: MakeSources
) -> None:
    for seed in range(6):
        network, sources = random_network(seed, 7), random_sources(seed, 3)
        options = SearchOptions(beam=400, length_penalty=0, max_ratio=0, max_extra=4)
        wide = run(network, sources, options)
        for (best,), (greedy,) in zip(wide, run(network, sources, replace(options, beam=1)), strict=True):
            assert best.score >= greedy.score - 1e-12
