"""Textbook BLEU between 0 and 1, a sentence at a time. Not comparable with sacreBLEU's BLEU."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from seqtrans.scoring.contract import Score
from seqtrans.scoring.sentence_metric import SentenceMetric

ORDER = 4


def precision(prediction: Sequence[str], labels: Sequence[Sequence[str]], n: int) -> tuple[int, int]:
    """Matched and all n-grams of `prediction`: p_n is their quotient.

    An n-gram matches at most as often as it occurs in the label (in the one where it occurs most often).
    """
    limits: Counter[tuple[str, ...]] = Counter()
    for label in labels:
        limits |= _ngrams(label, n)
    found = _ngrams(prediction, n)
    return (found & limits).total(), found.total()


def sentence_bleu01(prediction: Sequence[str], labels: Sequence[Sequence[str]], order: int = ORDER) -> float:
    """exp(min(0, 1 - len_label / len_pred)) * product of p_n ** (1 / 2**n), n from 1 to `order`; 0 to 1.

    The formula of Zhang et al., "Dive into Deep Learning", section "Evaluation of Predicted Sequences".
    Orders that the prediction is too short for are left out, as there, so that every copy of its label scores
    1; a p_n of 0 makes 0. An empty prediction scores 1 for an empty label and 0 for any other. Of several
    labels, the one closest in length to the prediction counts as len_label, of equals the shorter.
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
    """The mean of `sentence_bleu01` over the lines, 0 to 1; tokens are what white space separates."""

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
