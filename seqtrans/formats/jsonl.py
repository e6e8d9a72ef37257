"""JSON lines: everything that is known of a line's translations in one object."""

from __future__ import annotations

import json
import math
from typing import Any

from seqtrans.formats.base import Written
from seqtrans.text.lines import one_line


def write(line: Written) -> bytes:
    """One object for each source line; log-probabilities are natural logarithms."""
    subwords = line.model.target_subwords
    hypotheses: list[dict[str, Any]] = []
    for text, h in zip(line.translation.texts, line.translation.hypotheses, strict=True):
        entry: dict[str, Any] = {
            "text": text,
            "score": _rounded(h.score),
            "log_prob": _rounded(h.log_prob),
            "subwords": subwords.pieces(h.tokens),
            "subword_log_probs": [round(p, 4) for p in h.token_log_probs],
        }
        if line.alignment != "none":
            entry["alignment"] = line.pharaoh(h)
        hypotheses.append(entry)
    record = {
        "line": line.number,
        "source": line.translation.source,
        "source_subwords": line.model.source_subwords.pieces(line.translation.source_ids),
        "hypotheses": hypotheses,
    }
    if line.translation.proven is not None:
        record["proven"] = line.translation.proven
    return one_line(json.dumps(record, ensure_ascii=False))


def _rounded(number: float) -> float | None:
    """JSON has no infinity: null where nothing was found."""
    return round(number, 4) if math.isfinite(number) else None


PLUGIN = write
