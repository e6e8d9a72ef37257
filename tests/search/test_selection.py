"""Which continuations go on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.search.decoding import CPU, search
from seqtrans.search.hypothesis import Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.record import SearchStep
from seqtrans.search.scorer import ModelScorer
from seqtrans.search.selection import best, best_of_banks
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID
from tests.proving import with_seeds
from tests.search.truth import Make, Sources


def appending(steps: list[list[SearchStep]]) -> Callable[[int, SearchStep], None]:
    """What notes the steps of each sentence."""
    return lambda sentence, step: steps[sentence].append(step)


@given(st.integers(1, 6), st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 4))
def test_banks_have_their_turns(count: int, seed: int, many: int, banks: int) -> None:
    draw = np.random.default_rng(seed)
    totals = -draw.permutation(many * 2)[:many].astype(np.float64)[None]
    met = draw.integers(0, banks, (1, many))
    places, values = best_of_banks(totals, met, count)
    places, values = places[0][values[0] > -np.inf].tolist(), values[0][values[0] > -np.inf].tolist()
    assert values == sorted(values, reverse=True)
    assert values == totals[0, places].tolist()
    assert len(set(places)) == len(places) == min(count, many)
    # what a bank has is its best, and no bank has two more than another that has more to give
    shares = {}
    for bank in set(met[0].tolist()):
        own = np.flatnonzero(met[0] == bank)
        kept = [place for place in places if met[0, place] == bank]
        assert set(kept) == set(own[np.argsort(-totals[0, own])][: len(kept)].tolist())
        shares[bank] = (len(kept), len(own))
    for share, _ in shares.values():
        assert all(other >= share - 1 or other == own for other, own in shares.values())
    if banks == 1:
        assert places == best(totals, count)[0][0, :many].tolist()


def diverse(
    network: Seq2Seq, source: list[int], beam: int, groups: int, diversity: float, longest: int
) -> list[list[list[int]]]:
    """The hypotheses that diverse beam search keeps at each step, group by group, by plain loops."""
    size = beam // groups
    kept: list[list[tuple[float, list[int]]]] = [[(0.0, [])]] * groups
    steps = []
    for step in range(longest):
        said: list[int] = []
        for group in range(groups):
            options: list[tuple[float, float, list[int]]] = []
            for total, tokens in kept[group]:
                inputs = torch.tensor([BOS_ID, *tokens]).unsqueeze(1)
                logits = network.logits(network.readouts(inputs, network.encode(*pad_sources([source]))))[-1, 0]
                log_probs = torch.log_softmax(logits, dim=0).tolist()
                for token, log_prob in enumerate(log_probs):
                    if token in (PAD_ID, BOS_ID, EOS_ID) or (step == 0 and token in said):
                        continue
                    value = total + log_prob - diversity * said.count(token)
                    options.append((value, total + log_prob, [*tokens, token]))
            chosen = sorted(options, key=lambda one: -one[0])[:size]
            kept[group] = [(total, tokens) for _, total, tokens in chosen]
            said += [tokens[-1] for _, tokens in kept[group]]
        steps.append([tokens for group in kept for _, tokens in group])
    return steps


@with_seeds(3, 6)
@pytest.mark.parametrize(("beam", "groups", "diversity"), [(4, 2, 0.5), (6, 3, 2.0), (4, 4, 0.3), (4, 2, 0.0)])
def test_groups_keep_away_from_each_other(
    random_network: Make, random_sources: Sources, beam: int, groups: int, diversity: float, seeds: range
) -> None:
    for seed in seeds:
        network, sources = random_network(seed, 20), random_sources(seed, 3)
        options = SearchOptions(beam, beam, max_ratio=0, max_extra=4, groups=groups, diversity=diversity)
        told: list[list[SearchStep]] = [[] for _ in sources]
        requests = [Request(source) for source in sources]
        found = search(ModelScorer(network), requests, options, 2, CPU, observer=appending(told))
        for source, n_best, steps in zip(sources, found, told, strict=True):
            hypotheses: list[list[int]] = [[]]
            truth = diverse(network, source, beam, groups, diversity, 4)
            for step, expected in zip(steps, truth, strict=False):
                if any(one.total == -np.inf for one in step.kept):  # the limit is reached
                    break
                hypotheses = [[*hypotheses[one.parent], one.token] for one in step.kept]
                assert hypotheses == expected
            assert len(hypotheses[0]) > 1  # so many steps were compared
            assert len({tuple(h.tokens) for h in n_best}) == len(n_best)
            assert [h.score for h in n_best] == sorted((h.score for h in n_best), reverse=True)


def test_what_is_told_is_what_happened(random_network: Make, random_sources: Sources) -> None:
    network, sources = random_network(9, 20), random_sources(9, 7)
    options = SearchOptions(3, 3, max_ratio=1, max_extra=3)
    told: list[list[SearchStep]] = [[] for _ in sources]
    found = search(ModelScorer(network), [Request(s) for s in sources], options, 3, CPU, observer=appending(told))
    for n_best, steps in zip(found, told, strict=True):
        hypotheses: list[tuple[float, list[int]]] = [(0.0, [])]
        ends: list[tuple[float, list[int]]] = []
        for step in steps:
            ends += [(end.score, hypotheses[end.parent][1]) for end in step.finished]
            continuations = [*step.kept, *step.pruned]
            for one in continuations:
                if one.total > -np.inf:
                    assert one.total == pytest.approx(hypotheses[one.parent][0] + one.log_prob)
            assert len({(one.parent, one.token) for one in continuations if one.total > -np.inf}) == sum(
                one.total > -np.inf for one in continuations
            )
            # every hypothesis has as many continuations as the beam is wide, each of which is kept or pruned
            assert sum(one.total > -np.inf for one in step.kept) + len(step.pruned) == 3 * len(hypotheses)
            pruned = [one.total for one in step.pruned]
            assert pruned == sorted(pruned, reverse=True)
            worst = min(one.total for one in step.kept)
            # but for the last step that the limit of length allows, after which nothing is kept
            assert worst == -np.inf or all(one.total <= worst for one in step.pruned)
            hypotheses = [(one.total, [*hypotheses[one.parent][1], one.token]) for one in step.kept]
        best_ends = sorted(ends, key=lambda end: -end[0])[:3]
        assert [h.tokens for h in n_best] == [tokens for _, tokens in best_ends]
        assert [h.score for h in n_best] == pytest.approx([score for score, _ in best_ends])
