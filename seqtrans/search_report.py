"""The whole search for a line as JSON, for those who look at it or draw it."""

from __future__ import annotations

import json
import math
from typing import Any

from seqtrans.search.watching import Continuation, SearchStep
from seqtrans.text.lines import one_line
from seqtrans.text.subwords import SubwordModel
from seqtrans.translation import Translation


def report_line(number: int, translation: Translation, source: SubwordModel, target: SubwordModel) -> bytes:
    """One JSON object: the line, its source and its best translation, and the steps of the search.

    Each step has the hypotheses that were `kept`, those that were `pruned` and those that were `finished`; `parent` is
    the place of a hypothesis in what was kept at the step before. Log-probabilities are natural logarithms.
    """
    record = {
        "line": number,
        "source": translation.source,
        "source_subwords": source.pieces(translation.source_ids),
        "translation": translation.texts[0],
        "steps": [_step(step, target) for step in translation.steps],
    }
    return one_line(json.dumps(record, ensure_ascii=False))


def _step(step: SearchStep, target: SubwordModel) -> dict[str, Any]:
    finished = [
        {"parent": end.parent, "log_prob": round(end.log_prob, 4), "score": round(end.score, 4)}
        for end in step.finished
    ]
    return {
        # places count, so that those which hold nothing stay
        "kept": [_continuation(one, target) for one in step.kept],
        "pruned": [_continuation(one, target) for one in step.pruned],
        "finished": finished,
    }


def _continuation(one: Continuation, target: SubwordModel) -> dict[str, Any] | None:
    if not math.isfinite(one.total):
        return None
    return {
        "parent": one.parent,
        "subword": target.piece(one.token),
        "subword_log_prob": round(one.log_prob, 4),
        "log_prob": round(one.total, 4),
    }
