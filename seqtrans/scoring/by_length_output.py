"""Scores by length as a table for people, as JSON for programs, and as a chart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from seqtrans.plot.chart import Series, line_chart
from seqtrans.scoring.by_length import Bucket
from seqtrans.scoring.output import as_object, heading


def as_text(buckets: Sequence[Bucket]) -> str:
    """A table for each metric: a row for each bucket, with its number of lines and a column for each system."""
    _, results = buckets[0].evaluation.systems[0]
    return "\n\n".join("\n".join(_table(buckets, number)) for number in range(len(results)))


def as_json(source: str, buckets: Sequence[Bucket]) -> str:
    """One object in one line: `source`, and `buckets`, each with `words`, `mean_words`, `systems` and `lines`."""
    described = [
        {"words": bucket.label, "mean_words": bucket.mean, **as_object(bucket.evaluation)} for bucket in buckets
    ]
    return json.dumps({"source": source, "buckets": described}, ensure_ascii=False)


def as_chart(buckets: Sequence[Bucket]) -> str:
    """The first metric as SVG: a line for each system, over the mean source length of each bucket.

    The numbers of lines are there too, since a score of few lines says little.
    """
    systems = buckets[0].evaluation.systems
    metric = systems[0][1][0].metric
    series = [
        Series(name, [(bucket.mean, bucket.evaluation.systems[number][1][0].score.value) for bucket in buckets])
        for number, (name, _) in enumerate(systems)
    ]
    direction = "higher is better" if metric.higher_is_better else "lower is better"
    return line_chart(
        f"{metric.label} by length of the source",
        "source length in words (above the axis: number of lines)",
        f"{metric.label} ({direction})",
        series,
        from_zero=True,
        notes=[(bucket.mean, f"{bucket.evaluation.lines:,}") for bucket in buckets],
    )


def _table(buckets: Sequence[Bucket], number: int) -> Iterator[str]:
    """Signature, headings, and a row for each bucket, in right-aligned columns."""
    systems = buckets[0].evaluation.systems
    yield heading(systems[0][1][number])
    rows = [["words", "lines", *(name for name, _ in systems)]]
    for bucket in buckets:
        results = [results[number] for _, results in bucket.evaluation.systems]
        scores = [f"{result.score.value:.{result.metric.decimals}f}" for result in results]
        rows.append([bucket.label, str(bucket.evaluation.lines), *scores])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
