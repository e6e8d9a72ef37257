"""Whether BLEU can compare systems by given references, and which of its tokenizers fits them."""

from __future__ import annotations

from collections.abc import Sequence

from seqtrans.scoring.contract import MetricSettings
from seqtrans.text.scripts import is_chinese, is_spaceless

BLEU_ORDER = 4
"""BLEU counts sequences of 1 to 4 tokens: a reference of fewer tokens has none of the longest."""


def fitting_settings(references: Sequence[str]) -> MetricSettings:
    """Settings whose tokenizer finds the words of the references.

    "13a" splits at spaces and punctuation. Scripts that are written without spaces between words need "zh" (Chinese)
    or "char".
    """
    text = "".join(references)
    if not is_spaceless(text):
        return MetricSettings()
    return MetricSettings(tokenize="zh" if is_chinese(text) else "char")


def share_too_short(references: Sequence[str], settings: MetricSettings) -> float:
    """The share of the references, 0 to 1, that have fewer than `BLEU_ORDER` tokens.

    Raises:
        UsageError: there is no such tokenizer.
    """
    from seqtrans.scoring.metrics.bleu import Bleu

    tokenize = Bleu(settings).make(settings).tokenizer
    return sum(len(tokenize(line).split()) < BLEU_ORDER for line in references) / len(references)
