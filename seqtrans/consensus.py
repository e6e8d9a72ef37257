"""Minimum Bayes risk: of several translations, the one that is most like the others.

The expected utility of a translation is the mean of a sentence metric between it and every translation of the list,
each counted as often as it is probable (Kumar & Byrne 2004, section 2.1, over a list; Eikema & Aziz 2020, section 5.2,
over samples).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from seqtrans.search.hypothesis import Hypothesis

Utility = Callable[[str, str], float]
"""From a translation and what it is compared with."""


def by_consensus(
    hypotheses: Sequence[Hypothesis], texts: Sequence[str], metric: str, *, drawn: bool
) -> list[tuple[Hypothesis, str]]:
    """The same hypotheses and their texts, those of largest expected utility first, which is their score.

    Each text stands there once.

    Samples that were `drawn` count alike, since the probable are there more often; others by their probability.
    """
    utility = cache(_utility(metric))  # samples are often the same
    best = max(h.log_prob for h in hypotheses)
    weights = [1.0 if drawn or h.log_prob == best else math.exp(h.log_prob - best) for h in hypotheses]
    total = sum(weights)
    ranked = []
    for hypothesis, text in zip(hypotheses, texts, strict=True):
        expected = sum(w * utility(text, other) for w, other in zip(weights, texts, strict=True)) / total
        ranked.append((replace(hypothesis, score=expected), text))
    ranked.sort(key=lambda pair: -pair[0].score)
    once: dict[str, tuple[Hypothesis, str]] = {}
    for hypothesis, text in ranked:
        once.setdefault(text, (hypothesis, text))
    return list(once.values())


def _utility(metric: str) -> Utility:
    """SacreBLEU's sentence metric, 0 to 100."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    scorer = CHRF() if metric == "chrf" else BLEU(effective_order=True)

    def score(text: str, other: str) -> float:
        return float(scorer.sentence_score(text, [other]).score)

    return score
