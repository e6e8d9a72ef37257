"""Textbook BLEU between 0 and 1, computed for each sentence. Not comparable with sacreBLEU's BLEU."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from seqtrans.scoring.contract import Score
from seqtrans.scoring.sentence_metric import SentenceMetric

ORDER = 4


def precision(prediction: Sequence[str], labels: Sequence[Sequence[str]], n: int) -> tuple[int, int]:
    """The numbers of matched and of all n-grams of `prediction`; p_n is their quotient.

    An n-gram matches at most as often as it occurs in the label (in the one where it occurs most often).
    """
    limits: Counter[tuple[str, ...]] = Counter()
    for label in labels:
        limits |= _ngrams(label, n)
    ngrams = _ngrams(prediction, n)
    return (ngrams & limits).total(), ngrams.total()


def sentence_bleu01(prediction: Sequence[str], labels: Sequence[Sequence[str]], order: int = ORDER) -> float:
    """exp(min(0, 1 - len_label / len_pred)) * product of p_n ** (1 / 2**n), n from 1 to `order`; 0 to 1.

    The formula of Zhang et al., "Dive into Deep Learning", section "Evaluation of Predicted Sequences".
    As there, values of n above the length of the prediction are left out, so that a copy of its label always scores
    1. If any p_n is 0, so is the score. An empty prediction scores 1 for an empty label and 0 for any other. Of several
    labels, the one closest in length to the prediction gives len_label; of two equally close ones, the shorter.
    """
    length = len(prediction)
    label_length = min((len(label) for label in labels), key=lambda each: (abs(each - length), each))
    if not length:
        return float(label_length == 0)
    score = math.exp(min(0.0, 1 - label_length / length))
    for n in range(1, min(order, length) + 1):
        matched, total = precision(prediction, labels, n)
        score *= (matched / total) ** (0.5**n)
    return score


def _ngrams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1))


class Bleu01(SentenceMetric):
    """The mean of `sentence_bleu01` over the lines, 0 to 1; white space separates tokens."""

    name = "bleu01"
    label = "bleu01"
    higher_is_better = True
    decimals = 4
    described = f"tok:split|order:{ORDER}|weights:1/2^n|smooth:none|short:skip|level:sentence|avg:mean"

    def statistics(self, hypothesis: str, references: Sequence[str]) -> tuple[float, ...]:
        """The sentence's score, and 1 for the sentence."""
        return sentence_bleu01(hypothesis.split(), [reference.split() for reference in references]), 1

    def score(self, sums: Sequence[float]) -> Score:
        """The mean from the sums of scores and of sentences."""
        return Score(sums[0] / sums[1], {"sentences": int(sums[1])})


PLUGIN = Bleu01
