"""The search for a line as JSON, for programs that analyse or draw it."""

from __future__ import annotations

import json
import math
from typing import Any

from seqtrans.inference.translation import Translation, rounded
from seqtrans.io.lines import one_line
from seqtrans.search.record import Continuation, SearchStep
from seqtrans.text.subwords import SubwordModel


def record_line(number: int, translation: Translation, target: SubwordModel) -> bytes:
    """One JSON object: the number of the line, its source and best translation, and the steps of the search.

    Each step has the hypotheses that were `kept`, `pruned` and `finished`. `parent` is the position, among those kept
    at the step before, of the hypothesis that was continued. Log-probabilities are natural logarithms.
    """
    record = {
        "line": number,
        "source": translation.source,
        "source_subwords": translation.source_subwords,
        "translation": translation.text,
        "steps": [_step(step, target) for step in translation.steps],
    }
    return one_line(json.dumps(record, ensure_ascii=False))


def _step(step: SearchStep, target: SubwordModel) -> dict[str, Any]:
    finished = [
        {"parent": end.parent, "log_prob": rounded(end.log_prob), "score": rounded(end.score)} for end in step.finished
    ]
    return {
        # `parent` is a position in this list: empty places stay, as null
        "kept": [_continuation(continuation, target) for continuation in step.kept],
        "pruned": [_continuation(continuation, target) for continuation in step.pruned],
        "finished": finished,
    }


def _continuation(continuation: Continuation, target: SubwordModel) -> dict[str, Any] | None:
    if not math.isfinite(continuation.total):
        return None
    return {
        "parent": continuation.parent,
        "subword": target.piece(continuation.token),
        "subword_log_prob": rounded(continuation.log_prob),
        "log_prob": rounded(continuation.total),
    }
