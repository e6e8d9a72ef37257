"""Whether BLEU can compare systems by given references, and which of its tokenizers fits them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seqtrans.scoring.contract import MetricSettings

BLEU_ORDER = 4
"""BLEU counts sequences of 1 to 4 tokens: a reference of fewer tokens has none of the longest."""

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_OTHERS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff"  # Thai, Lao, Myanmar, Khmer, Japanese kana
_SPACELESS = re.compile(f"[{_HAN}{_OTHERS}]")
_HAN_ONLY = re.compile(f"[{_HAN}]")


def fitting_settings(references: Sequence[str]) -> MetricSettings:
    """Settings whose tokenizer finds the words of the references.

    "13a" splits at spaces and punctuation. Scripts that are written without spaces between words need "zh" (Chinese)
    or "char".
    """
    text = "".join(references)
    spaceless = len(_SPACELESS.findall(text))
    if 2 * spaceless <= len(text.replace(" ", "")):
        return MetricSettings()
    return MetricSettings(tokenize="zh" if len(_HAN_ONLY.findall(text)) > 0.9 * spaceless else "char")


def share_too_short(references: Sequence[str], settings: MetricSettings) -> float:
    """The share of the references, 0 to 1, that have fewer than `BLEU_ORDER` tokens.

    Raises:
        UsageError: there is no such tokenizer.
    """
    from seqtrans.scoring.metrics.bleu import Bleu

    tokenize = Bleu(settings).make(settings).tokenizer
    return sum(len(tokenize(line).split()) < BLEU_ORDER for line in references) / len(references)
