"""Translation edit rate as sacreBLEU computes it."""

from __future__ import annotations

from typing import Any

from sacrebleu.metrics.ter import TER

from seqtrans.scoring.contract import Settings
from seqtrans.scoring.sacre import SacreAdapter


class Ter(SacreAdapter):
    """100 * edits / (mean reference length), in percent; moving a phrase is one edit (Snover et al. 2006).

    Lowercased whatever the settings, as sacreBLEU does unless told otherwise.
    """

    name = "ter"
    label = "TER"
    higher_is_better = False

    def make(self, settings: Settings) -> TER:
        """TER with sacreBLEU's defaults."""
        return TER()

    def details(self, score: Any) -> dict[str, float | list[float]]:
        """Edits, and the references' length in words (a mean where there are several)."""
        length = float(score.ref_length)
        return {"edits": score.num_edits, "ref_words": int(length) if length.is_integer() else length}


PLUGIN = Ter
