"""JSON lines: one object with all details of a line's translations."""

from __future__ import annotations

import json
import math
from typing import Any

from seqtrans.inference.formats.base import Format, pharaoh
from seqtrans.inference.translation import Translation, rounded
from seqtrans.io.lines import one_line


def write(number: int, translation: Translation) -> bytes:
    """One object for each source line; log-probabilities are natural logarithms."""
    hypotheses: list[dict[str, Any]] = []
    for scored_text in translation.n_best:
        entry: dict[str, Any] = {
            "text": scored_text.text,
            "score": _or_none(scored_text.score),
            "log_prob": _or_none(scored_text.log_prob),
            "subwords": scored_text.subwords,
            "subword_log_probs": [rounded(p) for p in scored_text.subword_log_probs],
        }
        if scored_text.alignment is not None:
            entry["alignment"] = pharaoh(scored_text.alignment)
        hypotheses.append(entry)
    record = {
        "line": number,
        "source": translation.source,
        "source_subwords": translation.source_subwords,
        "hypotheses": hypotheses,
    }
    if translation.proven is not None:
        record["proven"] = translation.proven
    return one_line(json.dumps(record, ensure_ascii=False))


def _or_none(number: float) -> float | None:
    """The rounded number; None for infinity, which JSON does not have (there is no translation)."""
    return rounded(number) if math.isfinite(number) else None


PLUGIN = Format(write, has_lists=True)
