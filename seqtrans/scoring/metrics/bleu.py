"""BLEU as sacreBLEU computes it."""

from __future__ import annotations

from typing import Any

from sacrebleu.metrics.bleu import BLEU

from seqtrans.errors import UsageError
from seqtrans.scoring.contract import MetricSettings
from seqtrans.scoring.sacre import SacreAdapter

TOKENIZERS = ("13a", "none", "intl", "char", "zh")
"""sacreBLEU's tokenizers that need neither a download nor another package."""


class Bleu(SacreAdapter):
    """100 * BP * exp(mean of log p_n for n = 1 to 4), 0 to 100, over the whole corpus (Papineni et al. 2002).

    BP = min(1, exp(1 - ref_len / hyp_len)). A p_n of 0 is smoothed ("exp": method 3 of Chen and Cherry 2014).
    Meant for detokenised text, which the tokenizer (13a by default) splits in the same way for everyone (Post 2018).
    """

    name = "bleu"
    label = "BLEU"
    higher_is_better = True

    def make(self, settings: MetricSettings) -> BLEU:
        """BLEU with these settings; `force` silences a warning that the command line gives itself.

        Raises:
            UsageError: there is no such tokenizer.
        """
        if settings.tokenize not in TOKENIZERS:
            raise UsageError(f"unknown tokenizer '{settings.tokenize}'; known: {', '.join(TOKENIZERS)}")
        return BLEU(lowercase=settings.lowercase, tokenize=settings.tokenize, force=True)

    def details(self, score: Any) -> dict[str, float | list[float]]:
        """Precisions p_1 to p_4 in percent, brevity penalty, and lengths in tokens."""
        return {
            "precisions": [float(precision) for precision in score.precisions],
            "bp": score.bp,
            "ratio": score.ratio,
            "hyp_len": score.sys_len,
            "ref_len": score.ref_len,
        }


PLUGIN = Bleu
