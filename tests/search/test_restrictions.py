"""What a hypothesis may not say, against the truth without what it may not say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqtrans.search.decoding import CPU, search
from seqtrans.search.exact import exact_search
from seqtrans.search.hypothesis import Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.ranking import Ranking
from seqtrans.search.restrictions import repetitions
from seqtrans.search.scorer import ModelScorer
from tests.proving import with_seeds
from tests.search.truth import FIRST, Make, Sources, Truth, all_of, case, options_for, same

Allows = Callable[[Truth, list[int]], bool]
FORBIDDEN = [FIRST]


def repeats(tokens: list[int], size: int) -> bool:
    """Whether `size` subwords in a row stand in it twice."""
    grams = [tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1)]
    return len(set(grams)) < len(grams)


def with_options(**changes: Any) -> Callable[[SearchOptions], SearchOptions]:
    return lambda options: replace(options, **changes)


RESTRICTIONS: dict[str, tuple[Sequence[int], Sequence[int], Callable[[SearchOptions], SearchOptions], Allows]] = {
    "forbidden": ((), FORBIDDEN, with_options(), lambda t, _: FIRST not in t.tokens),
    "prefix": ((FIRST, FIRST), (), with_options(), lambda t, _: t.tokens[:2] == [FIRST, FIRST]),
    "forbidden prefix": (
        (FIRST,),
        FORBIDDEN,
        with_options(),
        lambda t, _: t.tokens[:1] == [FIRST] and FIRST not in t.tokens[1:],
    ),
    "shortest": ((), (), with_options(min_ratio=0.5), lambda t, s: len(t.tokens) >= min(int(0.5 * (len(s) + 1)), 3)),
    "no subword twice": ((), (), with_options(no_repeat=1), lambda t, _: not repeats(t.tokens, 1)),
    "no two twice": ((), (), with_options(no_repeat=2), lambda t, _: not repeats(t.tokens, 2)),
    "all": (
        (FIRST, FIRST),
        (),
        with_options(no_repeat=2, min_ratio=0.5),
        lambda t, s: (
            t.tokens[:2] == [FIRST, FIRST]
            and not repeats(t.tokens, 2)
            and len(t.tokens) >= min(int(0.5 * (len(s) + 1)), 3)
        ),
    ),
}


@with_seeds(3, 29, first=1)
@pytest.mark.parametrize("name", RESTRICTIONS)
def test_what_is_not_allowed_is_not_said_and_nothing_else_is_lost(
    random_network: Make, random_sources: Sources, name: str, seeds: range
) -> None:
    prefix, forbidden, change, allows = RESTRICTIONS[name]
    for seed in seeds:
        network, vocab, limit = case(random_network, seed)
        limit = min(limit, 3 if vocab > FIRST + 2 else 4)
        sources = random_sources(seed, 3)
        requests = [Request(source, prefix) for source in sources]
        # a prefix does not count against the limit, which the truth knows as one of all subwords
        longest = limit - len(prefix) if limit > len(prefix) else 0
        options = change(options_for(Ranking(0.7), longest, 200, 3))
        found = search(ModelScorer(network), requests, options, 2, CPU, forbidden)
        for source, request, n_best in zip(sources, requests, found, strict=True):
            every = all_of(network, source, vocab, longest + len(prefix))
            truth = [t for t in every if allows(t, source)]
            if not truth:  # all that is allowed is too long
                assert (n_best[0].tokens, n_best[0].score) == ([], -np.inf)
                proof = exact_search(ModelScorer(network), request, n_best[0], options, CPU, forbidden)
                assert not proof.proven
                continue
            assert len(n_best) == min(3, len(truth))
            same(n_best, truth, options.ranking, f"seed {seed}")
            narrow = replace(options, beam=2, n_best=1)
            ((first, *_),) = search(ModelScorer(network), [request], narrow, 1, CPU, forbidden)
            proof = exact_search(ModelScorer(network), request, first, narrow, CPU, forbidden)
            assert proof.proven
            same([proof.best], truth, options.ranking, f"seed {seed}")


@with_seeds(6, 60)
def test_an_exact_search_goes_on_where_a_beam_finds_nothing(
    random_network: Make, random_sources: Sources, seeds: range
) -> None:
    for seed in seeds:
        network, vocab, limit = case(random_network, seed)
        (source,) = random_sources(seed, 1)
        options = replace(options_for(Ranking(), limit, 1, 1), no_repeat=1, min_ratio=0.5, max_expansions=10**6)
        truth = [t for t in all_of(network, source, vocab, limit) if RESTRICTIONS["shortest"][3](t, source)]
        truth = [t for t in truth if not repeats(t.tokens, 1)]
        ((first,),) = search(ModelScorer(network), [Request(source)], options, 1)
        proof = exact_search(ModelScorer(network), Request(source), first, options, CPU)
        assert proof.proven == bool(truth)
        if truth:
            same([proof.best], truth, options.ranking, f"seed {seed}")


def test_only_what_would_repeat_is_taken_away() -> None:
    history = np.array([[-1, 5, 6, 5], [4, 5, 4, 5], [7, 7, 7, 7], [-1, -1, -1, 4]])
    rows, tokens = repetitions(history, 2)
    assert set(zip(rows.tolist(), tokens.tolist(), strict=True)) == {(0, 6), (1, 4), (2, 7)}
    assert set(zip(*(a.tolist() for a in repetitions(history, 3)), strict=True)) == {(1, 4), (2, 7)}
    assert set(zip(*(a.tolist() for a in repetitions(history[:1], 1)), strict=True)) == {(0, 5), (0, 6)}
