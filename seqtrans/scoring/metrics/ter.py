"""Translation edit rate as sacreBLEU computes it."""

from __future__ import annotations

from typing import Any

from sacrebleu.metrics.ter import TER

from seqtrans.scoring.contract import MetricSettings
from seqtrans.scoring.sacre import SacreAdapter


class Ter(SacreAdapter):
    """100 * edits / (mean reference length), in percent; moving a phrase is one edit (Snover et al. 2006).

    Always computed on lowercased text, which is the default of sacreBLEU.
    """

    name = "ter"
    label = "TER"
    higher_is_better = False

    def make(self, settings: MetricSettings) -> TER:
        """TER with sacreBLEU's defaults."""
        return TER()

    def details(self, score: Any) -> dict[str, float | list[float]]:
        """Edits, and the length of the references in words (the mean if there are several)."""
        length = float(score.ref_length)
        return {"edits": score.num_edits, "ref_words": int(length) if length.is_integer() else length}


PLUGIN = Ter
