"""chrF2 as sacreBLEU computes it."""

from __future__ import annotations

from sacrebleu.metrics.chrf import CHRF

from seqtrans.scoring.contract import MetricSettings
from seqtrans.scoring.sacre import SacreAdapter


class Chrf(SacreAdapter):
    """100 * F_2 of character n-grams, n = 1 to 6, without spaces; 0 to 100 (Popović 2015, beta = 2)."""

    name = "chrf"
    label = "chrF2"
    higher_is_better = True

    def make(self, settings: MetricSettings) -> CHRF:
        """ChrF with sacreBLEU's defaults."""
        return CHRF(lowercase=settings.lowercase)


PLUGIN = Chrf
