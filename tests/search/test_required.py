"""Phrases that translations have to hold, against the truth without those that do not."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqtrans.model.shortlist import Shortlist
from seqtrans.search.decoding import CPU, search
from seqtrans.search.exact import exact_search
from seqtrans.search.hypothesis import Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.ranking import Ranking
from seqtrans.search.required import RequiredPhrases
from seqtrans.search.scorer import ModelScorer
from seqtrans.text.subwords import UNK_ID
from tests.proving import with_seeds
from tests.search.truth import FIRST, Make, Sources, all_of, case, options_for, same

LETTERS = st.integers(4, 5)  # so few that phrases begin again within themselves
PHRASES = st.lists(st.lists(LETTERS, min_size=1, max_size=6), min_size=1, max_size=3)


def holds(tokens: list[int], phrase: list[int]) -> bool:
    return any(tokens[i : i + len(phrase)] == phrase for i in range(len(tokens) - len(phrase) + 1))


def begun(tokens: list[int], phrase: list[int]) -> int:
    """How much of the phrase the last tokens are."""
    return max(size for size in range(len(phrase)) if tokens[len(tokens) - size :] == phrase[:size])


@given(PHRASES, st.lists(LETTERS, max_size=12))
@example([[4, 4, 5]], [4, 4, 4, 5])
@example([[4, 5, 4, 5, 5]], [4, 5, 4, 5, 4, 5, 5])
@example([[4, 4, 5, 4, 4, 4]], [4, 4, 5, 4, 4, 5, 4, 4, 4])
def test_it_knows_how_far_it_is(phrases: list[list[int]], tokens: list[int]) -> None:
    required = RequiredPhrases(phrases)
    state = reduce(required.next_progress, tokens, required.start)
    truth = [len(phrase) if holds(tokens, phrase) else begun(tokens, phrase) for phrase in phrases]
    assert list(state) == truth
    assert (not required.next_subwords(state)) == all(holds(tokens, phrase) for phrase in phrases)
    missing = [phrase[at] for phrase, at in zip(phrases, truth, strict=True) if at < len(phrase)]
    assert sorted(required.next_subwords(state)) == sorted(set(missing))
    if missing:  # whatever is done, one of the wanted ones brings it further
        assert max(required.count(required.next_progress(state, token)) for token in missing) > required.count(state)


@with_seeds(2, 15, first=1)
@pytest.mark.parametrize("phrases", [[[FIRST]], [[FIRST, FIRST]], [[UNK_ID], [FIRST]], [[FIRST, UNK_ID], [FIRST]]])
def test_all_that_hold_them_are_searched_and_no_others(
    random_network: Make, random_sources: Sources, phrases: list[list[int]], seeds: range
) -> None:
    extra = sum(map(len, phrases))
    for seed in seeds:
        network, vocab, _ = case(random_network, seed)
        sources = random_sources(seed, 3)
        requests = [Request(source, (), phrases if number != 1 else ()) for number, source in enumerate(sources)]
        options = options_for(Ranking(0.7), 1, 300, 3)
        found = search(ModelScorer(network), requests, options, 2)
        for request, n_best in zip(requests, found, strict=True):
            limit = 1 + (extra if request.required else 0)
            every = all_of(network, list(request.source), vocab, limit)
            truth = [t for t in every if all(holds(t.tokens, list(phrase)) for phrase in request.required)]
            assert len(n_best) == min(3, len(truth))
            same(n_best, truth, options.ranking, f"seed {seed}")
            narrow = replace(options, beam=2, n_best=1)
            ((first, *_),) = search(ModelScorer(network), [request], narrow, 1)
            proof = exact_search(ModelScorer(network), request, first, narrow, CPU)
            assert proof.proven
            same([proof.best], truth, options.ranking, f"seed {seed}")


@with_seeds(2, 6)
def test_what_is_asked_for_may_be_forbidden_and_repeat(
    random_network: Make, random_sources: Sources, seeds: range
) -> None:
    for seed in seeds:
        network = random_network(seed, 20)
        phrases = [[10, 10], [11]]
        requests = [Request(source, (), phrases) for source in random_sources(seed, 4)]
        for beam in (1, 4):
            options = SearchOptions(beam, max_ratio=1, max_extra=3, no_repeat=1)
            for (h,) in search(ModelScorer(network), requests, options, 3, CPU, [11]):
                assert h.score > -np.inf
                assert all(holds(h.tokens, phrase) for phrase in phrases)


@with_seeds(2, 10)
@pytest.mark.parametrize("beam", [1, 2, 5])
@pytest.mark.parametrize("listed", [False, True])
def test_narrow_beams_hold_them_too_whatever_the_batch(
    random_network: Make, random_sources: Sources, beam: int, listed: bool, seeds: range
) -> None:
    vocab = 40
    translations = np.random.default_rng(1).integers(4, vocab, (8, 3), dtype=np.int32)
    shortlist = Shortlist.of(translations, np.array([5], dtype=np.int32)) if listed else None
    for seed in seeds:
        network = random_network(seed, vocab)
        phrases = [(), [[30, 31, 32]], [[33], [34, 30]], [[30, 30], [30]]]
        requests = [Request(s, (), phrases[n % 4]) for n, s in enumerate(random_sources(seed, 9))]
        options = SearchOptions(beam, beam, max_ratio=1, max_extra=4)
        truth = search(ModelScorer(network), requests, options, 4, CPU, (), shortlist)
        for request, n_best in zip(requests, truth, strict=True):
            assert n_best[0].score > -np.inf
            assert all(holds(h.tokens, list(phrase)) for h in n_best for phrase in request.required)
            assert len({tuple(h.tokens) for h in n_best}) == len(n_best)
        again = search(ModelScorer(network), requests[::-1], options, 1, CPU, (), shortlist)[::-1]
        assert [[h.tokens for h in n_best] for n_best in again] == [[h.tokens for h in n_best] for n_best in truth]
