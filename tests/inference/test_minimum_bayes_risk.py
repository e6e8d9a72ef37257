"""Minimum Bayes risk: what is most like the others."""

from __future__ import annotations

import math

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seqtrans.inference.minimum_bayes_risk import rank_by_utility
from seqtrans.search.hypothesis import Hypothesis

TEXTS = ["a cat sat on the mat .", "the cat sat on the mat .", "the cat sat on a mat .", "dogs bark loudly"]
LOG_PROBS = [-4.0, -5.0, -4.5, -1.0]


def hypotheses(log_probs: list[float]) -> list[Hypothesis]:
    return [Hypothesis([number], p, p, [p], None) for number, p in enumerate(log_probs)]


@pytest.mark.parametrize("metric", ["chrf", "bleu"])
@pytest.mark.parametrize("drawn", [True, False])
def test_the_expected_utility_is_the_weighted_mean(metric: str, drawn: bool) -> None:
    scorer = CHRF() if metric == "chrf" else BLEU(effective_order=True)
    weights = [1.0] * 4 if drawn else [math.exp(p) for p in LOG_PROBS]
    expected = sorted(
        (
            sum(w * scorer.sentence_score(t, [o]).score for w, o in zip(weights, TEXTS, strict=True)) / sum(weights)
            for t in TEXTS
        ),
        reverse=True,
    )
    found = rank_by_utility(hypotheses(LOG_PROBS), TEXTS, metric, are_samples=drawn)
    assert [h.score for h, _ in found] == pytest.approx(expected)
    assert sorted(text for _, text in found) == sorted(TEXTS)
    assert all(TEXTS[h.tokens[0]] == text for h, text in found)
    assert [h.log_prob for h, _ in found] == [LOG_PROBS[h.tokens[0]] for h, _ in found]


def test_the_odd_one_loses_unless_it_is_far_the_likeliest() -> None:
    assert rank_by_utility(hypotheses(LOG_PROBS), TEXTS, "chrf", are_samples=True)[-1][1] == TEXTS[3]
    assert rank_by_utility(hypotheses(LOG_PROBS), TEXTS, "chrf", are_samples=False)[0][1] == TEXTS[3]


def test_a_text_stands_there_once_and_counts_as_often_as_it_was_drawn() -> None:
    texts = ["a cat", "a cat", "a dog"]
    found = rank_by_utility(hypotheses([-1.0, -1.0, -2.0]), texts, "chrf", are_samples=True)
    assert [text for _, text in found] == ["a cat", "a dog"]
    assert found[0][0].score > 66


def test_very_small_probabilities_are_probabilities() -> None:
    ((h, text),) = rank_by_utility(hypotheses([-5000.0]), ["x"], "chrf", are_samples=False)
    assert h.score == pytest.approx(100)
    assert text == "x"
