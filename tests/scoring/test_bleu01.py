"""Textbook BLEU: the worked example, the corners of the formula, and its bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtrans.scoring import metric
from seqtrans.scoring.metrics.bleu01 import precision, sentence_bleu01

SENTENCES = st.lists(st.sampled_from("abc"), max_size=8)


def test_worked_example() -> None:
    label, prediction = list("ABCDEF"), list("ABBCD")
    assert [precision(prediction, [label], n) for n in (1, 2, 3, 4)] == [(4, 5), (3, 4), (1, 3), (0, 2)]
    assert sentence_bleu01(prediction, [label]) == 0
    brevity = math.exp(1 - 6 / 5)
    assert sentence_bleu01(prediction, [label], order=2) == pytest.approx(brevity * 0.8**0.5 * 0.75**0.25)
    assert sentence_bleu01(prediction, [label], order=3) == pytest.approx(
        brevity * 0.8**0.5 * 0.75**0.25 * (1 / 3) ** 0.125
    )


@pytest.mark.parametrize(
    ("prediction", "label", "expected"),
    [
        ("", "", 1),
        ("", "a", 0),
        ("a", "", 0),
        ("a", "a", 1),
        ("a b", "a b", 1),
        ("a", "a b", math.exp(-1)),  # too short for bigrams: only brevity counts
        ("a a", "a", 0),  # no bigram of the label
        ("b", "a", 0),
    ],
)
def test_corners(prediction: str, label: str, expected: float) -> None:
    assert sentence_bleu01(prediction.split(), [label.split()]) == pytest.approx(expected)


def test_several_labels_clip_by_the_largest_count_and_take_the_closest_length() -> None:
    labels = [list("aa"), list("bcde")]
    assert precision(list("aaab"), labels, 1) == (3, 4)
    # length 3 is as far from 2 as from 4: the shorter label, hence no brevity penalty
    assert sentence_bleu01(list("aab"), labels, order=1) == 1
    assert sentence_bleu01(list("aa"), [["a"] * 5, ["a"] * 3], order=1) == pytest.approx(math.exp(-0.5))
    # 5 is closer to 4 than 1 is, so it counts though 1 is shorter
    assert sentence_bleu01(list("aaaa"), [["a"], ["a"] * 5], order=1) == pytest.approx(math.exp(-0.25))


@settings(deadline=None, max_examples=200)
@given(SENTENCES, st.lists(SENTENCES, min_size=1, max_size=3))
def test_bounds_and_identity(prediction: list[str], labels: list[list[str]]) -> None:
    assert 0 <= sentence_bleu01(prediction, labels) <= 1
    assert sentence_bleu01(prediction, [*labels, prediction]) == 1


def test_corpus_is_the_mean_over_sentences() -> None:
    score = metric("bleu01").corpus(["a b c d", "x", "a"], [["a b c d", "y", "a b"]])
    assert score.value == pytest.approx((1 + 0 + math.exp(-1)) / 3)
    assert score.details == {"sentences": 3}
