"""An evaluation as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from seqtrans.scoring.contract import Resampling
from seqtrans.scoring.evaluation import Evaluation, Result

_SIGNIFICANT = 0.05


def as_text(evaluation: Evaluation) -> str:
    """A line for each metric, `NAME = score  details  signature`; for several systems a table for each."""
    _, first = evaluation.systems[0]
    if evaluation.resampling is None:
        return "\n".join(_line(result) for result in first)
    tables = ["\n".join(_table(evaluation, number)) for number in range(len(first))]
    tables.append(
        "p: paired bootstrap against the first system "
        f"({evaluation.resampling.samples} resamples of {evaluation.lines} lines); "
        f"* p < {_SIGNIFICANT}, hardly chance"
    )
    return "\n\n".join(tables)


def as_json(evaluation: Evaluation) -> str:
    """One object in one line: `systems`, each with `name` and `metrics`, and `lines`."""
    return json.dumps(as_object(evaluation), ensure_ascii=False)


def as_object(evaluation: Evaluation) -> dict[str, Any]:
    """The content of `as_json` in dictionaries and lists."""
    return {
        "systems": [
            {"name": name, "metrics": [_object(result, evaluation.resampling) for result in results]}
            for name, results in evaluation.systems
        ],
        "lines": evaluation.lines,
    }


def heading(result: Result) -> str:
    """The heading of a metric's table: its name, whether higher or lower is better, and the signature."""
    direction = "higher is better" if result.metric.higher_is_better else "lower is better"
    return f"{result.metric.label} ({direction})  {result.signature}"


def _line(result: Result) -> str:
    parts = [f"{result.metric.label} = {result.score.value:.{result.metric.decimals}f}"]
    if result.score.details:
        parts.append(_details(result.score.details))
    return "  ".join([*parts, result.signature])


def _details(details: Mapping[str, float | list[float]]) -> str:
    def number(value: float | list[float]) -> str:
        if isinstance(value, list):
            return "/".join(f"{each:.1f}" for each in value)
        return str(value) if isinstance(value, int) else f"{value:.3f}"

    return " ".join(f"{name} = {number(value)}" for name, value in details.items())


def _table(evaluation: Evaluation, number: int) -> Iterator[str]:
    """Signature, headings, and a row for each system."""
    _, first = evaluation.systems[0]
    metric = first[number].metric
    yield heading(first[number])
    rows = [("system", "score", "mean ± 95% CI", "p")]
    for name, results in evaluation.systems:
        score, estimate = results[number].score, results[number].estimate
        assert estimate is not None
        digits = metric.decimals
        p = "-" if estimate.p_value is None else f"{estimate.p_value:.4f}"
        starred = f"{p} *" if estimate.p_value is not None and estimate.p_value < _SIGNIFICANT else p
        interval = f"{estimate.mean:.{digits}f} ± {estimate.margin:.{digits}f}"
        rows.append((name, f"{score.value:.{digits}f}", interval, starred))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, value, interval, p in rows:
        yield f"  {name:<{widths[0]}}  {value:>{widths[1]}}  {interval:>{widths[2]}}  {p}"


def _object(result: Result, resampling: Resampling | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": result.metric.name,
        "score": result.score.value,
        "signature": result.signature,
        "higher_is_better": result.metric.higher_is_better,
        "details": dict(result.score.details),
    }
    if resampling is not None and result.estimate is not None:
        mean, margin = result.estimate.mean, result.estimate.margin
        described["bootstrap"] = {
            "resamples": resampling.samples,
            "seed": resampling.seed,
            "mean": mean,
            "ci95": [max(mean - margin, 0.0), mean + margin],
            "p_value": result.estimate.p_value,
        }
    return described
