"""Which subwords translate which, against the textbook's loops."""

from __future__ import annotations

import random
from collections import defaultdict

import numpy as np
import pytest

from seqtrans.text.corpus import EncodedCorpus, Ragged
from seqtrans.text.lexicon import ITERATIONS, likeliest_translations, most_frequent
from seqtrans.text.subwords import EOS_ID

VOCABULARY = 30


def corpus_of(pairs: list[tuple[list[int], list[int]]]) -> EncodedCorpus:
    sources, targets = zip(*pairs, strict=True)
    return EncodedCorpus(Ragged.of(sources), Ragged.of(targets), np.arange(len(pairs)), {})


def random_pairs(seed: int, count: int) -> list[tuple[list[int], list[int]]]:
    """Source subword i is target subword i + 10, in another order, with a target subword 29 now and then."""
    draw = random.Random(seed)
    pairs = []
    for _ in range(count):
        source = [draw.randrange(4, 16) for _ in range(draw.randint(1, 6))]
        target = [i + 10 for i in source] + [29] * draw.randrange(2)
        draw.shuffle(target)
        pairs.append((source, target))
    return pairs


def by_loops(pairs: list[tuple[list[int], list[int]]]) -> dict[int, dict[int, float]]:
    """t(target | source) of IBM model 1, source 0 being the NULL word."""
    translation_probability: dict[tuple[int, int], float] = defaultdict(lambda: 1.0)
    for _ in range(ITERATIONS):
        expected: dict[tuple[int, int], float] = defaultdict(float)
        total: dict[int, float] = defaultdict(float)
        for source, target in pairs:
            for t in target:
                whole = sum(translation_probability[s, t] for s in [*source, 0])
                for s in [*source, 0]:
                    expected[s, t] += translation_probability[s, t] / whole
                    total[s] += translation_probability[s, t] / whole
        translation_probability = defaultdict(float, {(s, t): count / total[s] for (s, t), count in expected.items()})
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for (s, t), value in translation_probability.items():
        found[s][t] = value
    return found


@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_of_the_textbook(seed: int) -> None:
    pairs = random_pairs(seed, 60)
    lists = likeliest_translations(corpus_of(pairs), VOCABULARY, VOCABULARY, 4)
    truth = by_loops(pairs)
    assert lists is not None
    assert lists.shape == (VOCABULARY, 4)
    for source in range(4, 16):
        best = sorted(truth[source].values(), reverse=True)[:4]
        assert [truth[source][t] for t in lists[source].tolist() if t != EOS_ID] == pytest.approx(best)
    assert (lists[16:] == EOS_ID).all()  # never seen
    assert (lists[:4] == EOS_ID).all()


def test_a_dictionary_is_found_also_in_a_part_of_a_text() -> None:
    corpus = corpus_of(random_pairs(7, 2000))
    for max_position_pairs in (1 << 25, 20_000):
        lists = likeliest_translations(corpus, VOCABULARY, VOCABULARY, 3, max_position_pairs)
        assert lists is not None
        assert lists[4:16, 0].tolist() == list(range(14, 26))


def test_pairs_too_long_to_learn_from_are_left_out() -> None:
    long = [5] * 2100, [7] * 2100
    assert likeliest_translations(corpus_of([long]), VOCABULARY, VOCABULARY, 2) is None
    lists = likeliest_translations(corpus_of([long, ([5], [6])]), VOCABULARY, VOCABULARY, 2)
    assert lists is not None
    assert lists[5].tolist() == [6, EOS_ID]


def test_the_most_frequent() -> None:
    side = Ragged.of([[5, 6, 6], [7, 6, 7]])
    assert most_frequent(side, VOCABULARY, 2).tolist() == [6, 7]
    assert most_frequent(side, VOCABULARY, 9).tolist() == [6, 7, 5]
