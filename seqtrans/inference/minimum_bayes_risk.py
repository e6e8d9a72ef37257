"""Minimum Bayes risk: the translation of a list that is most similar to the others.

The expected utility of a translation is the mean of a sentence metric between it and every translation of the list,
weighted by probability (Kumar & Byrne 2004, section 2.1, for n-best lists; Eikema & Aziz 2020, section 5.2, for
samples).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from seqtrans.search.hypothesis import Hypothesis

Utility = Callable[[str, str], float]
"""A function from a translation and the one that it is compared with to their similarity."""


def rank_by_utility(
    hypotheses: Sequence[Hypothesis], texts: Sequence[str], metric: str, *, are_samples: bool
) -> list[tuple[Hypothesis, str]]:
    """The hypotheses and their texts, each text once, ranked by expected utility, which becomes their score.

    Samples have equal weights, because probable ones occur more often. The hypotheses of an n-best list are
    weighted by their probabilities.
    """
    utility = cache(_utility(metric))  # samples often repeat a text
    best = max(h.log_prob for h in hypotheses)
    # `== best` avoids -inf - -inf, if no hypothesis could end
    weights = [1.0 if are_samples or h.log_prob == best else math.exp(h.log_prob - best) for h in hypotheses]
    total = sum(weights)
    ranking = []
    for hypothesis, text in zip(hypotheses, texts, strict=True):
        expected = sum(w * utility(text, other) for w, other in zip(weights, texts, strict=True)) / total
        ranking.append((replace(hypothesis, score=expected), text))
    ranking.sort(key=lambda pair: -pair[0].score)
    distinct: dict[str, tuple[Hypothesis, str]] = {}
    for hypothesis, text in ranking:
        distinct.setdefault(text, (hypothesis, text))
    return list(distinct.values())


def _utility(metric: str) -> Utility:
    """SacreBLEU's sentence metric, 0 to 100."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    scorer = CHRF() if metric == "chrf" else BLEU(effective_order=True)

    def score(text: str, other: str) -> float:
        return float(scorer.sentence_score(text, [other]).score)

    return score
