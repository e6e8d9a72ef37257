"""Batches: every pair once per epoch, in an order that the seed decides, padded as they should be."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtrans.text.batches import POOL, epoch_order, make_batch, pad_sources
from seqtrans.text.corpus import EncodedCorpus, Ragged
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID

SEQUENCES = st.lists(st.lists(st.integers(4, 99), min_size=1, max_size=7), min_size=1, max_size=9)


def corpus_of(sources: list[list[int]], targets: list[list[int]]) -> EncodedCorpus:
    return EncodedCorpus(Ragged.of(sources), Ragged.of(targets), np.arange(len(sources)), {})


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64, 733, 10_000])
def test_an_epoch_holds_every_pair_once(corpus: EncodedCorpus, batch_size: int) -> None:
    order = epoch_order(corpus, batch_size, 1, 0)
    assert sorted(np.concatenate(order).tolist()) == list(range(len(corpus)))
    assert len(order) == math.ceil(len(corpus) / batch_size)
    assert max(map(len, order)) <= batch_size
    assert sum(len(batch) < batch_size for batch in order) <= 1


def test_the_order_follows_from_seed_and_epoch_alone(corpus: EncodedCorpus) -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        np.random.seed(np.random.default_rng().integers(2**31))  # the global state must not matter
        torch.rand(3)
        return [batch.tolist() for batch in epoch_order(corpus, 7, seed, epoch)]

    first = order(1, 0)
    assert first == order(1, 0)
    assert first != order(1, 1)
    assert first != order(2, 0)
    assert order(1, 1) != order(2, 0)
    assert {tuple(sorted(b)) for b in first} != {tuple(sorted(b)) for b in order(1, 1)}  # other neighbours too


def test_batches_are_alike_in_length_and_come_in_no_order_of_length(corpus: EncodedCorpus) -> None:
    order = epoch_order(corpus, 8, 1, 0)
    assert len(corpus) < POOL * 8
    lengths = corpus.target.lengths
    padding = sum(int(lengths[b].max()) * len(b) - int(lengths[b].sum()) for b in order) / int(lengths.sum())
    assert padding < 0.02
    means = [float(lengths[b].mean()) for b in order]
    rises = sum(a < b for a, b in pairwise(means))
    assert 0.25 * len(means) < rises < 0.75 * len(means)


@settings(deadline=None)
@given(SEQUENCES, st.data())
def test_a_batch_is_what_the_plain_way_makes(sources: list[list[int]], data: st.DataObject) -> None:
    count = len(sources)
    size = st.lists(st.integers(4, 99), min_size=1, max_size=7)
    targets = data.draw(st.lists(size, min_size=count, max_size=count))
    pairs = data.draw(st.permutations(range(count)).flatmap(lambda p: st.integers(1, count).map(lambda n: p[:n])))
    batch = make_batch(corpus_of(sources, targets), np.array(pairs))

    def column(tensor: torch.Tensor, b: int) -> list[int]:
        return tensor[:, b].tolist()

    longest_source = max(len(sources[i]) for i in pairs) + 1
    longest_target = max(len(targets[i]) for i in pairs) + 1
    for b, i in enumerate(pairs):
        assert column(batch.source_SB, b) == [
            *sources[i], EOS_ID, *[PAD_ID] * (longest_source - len(sources[i]) - 1),
        ]  # fmt: skip
        rest = [PAD_ID] * (longest_target - len(targets[i]) - 1)
        assert column(batch.inputs_TB, b) == [BOS_ID, *targets[i], *rest]
        assert column(batch.outputs_TB, b) == [*targets[i], EOS_ID, *rest]
    assert batch.source_lengths_B.tolist() == [len(sources[i]) + 1 for i in pairs]
    assert batch.target_tokens == int((batch.outputs_TB != PAD_ID).sum())
    assert batch.pairs.tolist() == list(pairs)
    assert {t.dtype for t in (batch.source_SB, batch.source_lengths_B, batch.inputs_TB, batch.outputs_TB)} == {
        torch.int64
    }
    moved = batch.to(torch.device("cpu"))
    assert torch.equal(moved.outputs_TB, batch.outputs_TB)
    assert moved.target_tokens == batch.target_tokens


def test_sources_of_a_search_are_padded_in_the_same_way() -> None:
    source, lengths = pad_sources([[5], [6, 7, 8]])
    assert source.t().tolist() == [[5, EOS_ID, PAD_ID, PAD_ID], [6, 7, 8, EOS_ID]]
    assert lengths.tolist() == [2, 4]
