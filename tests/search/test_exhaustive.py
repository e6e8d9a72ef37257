"""Search against the truth: every hypothesis there is, scored by teacher forcing."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from seqtrans.search.decoding import CPU, search
from seqtrans.search.exact import exact_search
from seqtrans.search.hypothesis import Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.ranking import Ranking
from seqtrans.search.scorer import ModelScorer, ModelState
from seqtrans.text.subwords import EOS_ID
from tests.proving import with_seeds
from tests.search.truth import RULES, Make, Sources, all_of, case, options_for, same

MODELS = 1000
PARTS = 10
SAMPLE = 32
"""Seeds of every run: each rule with each size at least once; `make prove` takes them all."""
N_BEST = 12


class Endless(Ranking):
    """A ranking that believes of every unfinished hypothesis that it may yet win."""

    def bound(self, log_prob: Any, length: Any, longest: Any) -> Any:
        return np.full_like(log_prob, np.inf)


class EndlessOptions(SearchOptions):
    """Options with that ranking: a search goes on to the limit of length."""

    @cached_property
    def ranking(self) -> Ranking:
        return Endless(self.length_penalty, self.length_rule, self.word_reward, self.coverage_penalty)


@pytest.mark.parametrize(
    "seeds",
    [
        *(pytest.param(range(part, SAMPLE, 4), id=f"size {part}") for part in range(4)),
        *(
            pytest.param(range(SAMPLE + part, MODELS, PARTS), id=f"part {part}", marks=pytest.mark.prove)
            for part in range(PARTS)
        ),
    ],
)
def test_searches_find_what_they_promise(random_network: Make, random_sources: Sources, seeds: range) -> None:
    for seed in seeds:
        network, vocab, limit = case(random_network, seed)
        (source,) = random_sources(seed, 1)
        truth = all_of(network, source, vocab, limit)
        name, rule = list(RULES.items())[seed // 4 % len(RULES)]
        what = f"seed {seed}, {name}"
        scorer, requests = ModelScorer(network), [Request(source)]

        # a beam as wide as the space finds the best there is
        options = options_for(rule, limit, len(truth) + 1, min(N_BEST, len(truth)))
        (found,) = search(scorer, requests, options, 1)
        assert len(found) == options.n_best
        same(found, truth, rule, what)

        # so does an exact search, from any beam
        options = replace(options_for(rule, limit, 1 + seed % 4, 1), alignment="subwords", max_expansions=10**6)
        ((first,),) = search(scorer, requests, options, 1)
        proof = exact_search(scorer, requests[0], first, options, CPU)
        assert proof.proven
        same([proof.best], truth, rule, what)
        assert proof.best.log_prob == pytest.approx(sum(proof.best.token_log_probs), abs=1e-9)
        assert proof.best.attention is not None
        assert proof.best.attention.shape == (len(proof.best.tokens), len(source) + 1)

        # a beam that stops early finds what one finds that goes on to the limit of length
        network.output_bias[EOS_ID] += seed % 5 - 1  # some like to end soon
        beam = 2 + seed % 5
        options = options_for(rule, limit + 4, beam, 1 + seed // 2 % beam)
        (found,) = search(scorer, requests, options, 1)
        (whole,) = search(scorer, requests, EndlessOptions(**asdict(options)), 1)
        assert [h.tokens for h in found] == [h.tokens for h in whole], what
        assert [h.score for h in found] == [h.score for h in whole], what


class CountingRows(ModelScorer):
    """Counts the rows of all steps: the hypotheses that a search expands."""

    rows = 0

    def step(self, ids_N: Tensor, state: ModelState) -> tuple[Tensor, ModelState, Tensor]:
        self.rows += len(ids_N)
        return super().step(ids_N, state)


@with_seeds(6, 100)
def test_an_exact_search_gives_up_and_says_so(random_network: Make, random_sources: Sources, seeds: range) -> None:
    proven = []
    for seed in seeds:
        network, _, longest = case(random_network, seed)
        options = options_for(Ranking(), longest, 1, 1)
        request = Request(random_sources(seed, 1)[0])
        ((first,),) = search(ModelScorer(network), [request], options, 1)
        unlimited = CountingRows(network)
        whole = exact_search(unlimited, request, first, options, CPU)
        for limit in (5, 20, 50):
            limited = CountingRows(network)
            proof = exact_search(limited, request, first, replace(options, max_expansions=limit), CPU)
            assert limited.rows < limit + 16
            assert proof.proven == (unlimited.rows == limited.rows)
            assert proof.proven or limited.rows >= limit
            assert first.score - 1e-12 <= proof.best.score <= whole.best.score + 1e-12
            proven.append(proof.proven)
    assert True in proven
    assert False in proven
