"""`seqtrans score --by-length`: scores by length of the source, and their chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqtrans.cli.charts import write_chart
from seqtrans.scoring import Metric, Text


def score_by_length(
    source: Text,
    systems: Sequence[Text],
    references: Sequence[Text],
    metrics: Sequence[Metric],
    chart: Path | None,
    as_json: bool,
) -> str:
    """Scores of each group of lines with sources of similar length, as text or JSON; draws the first metric's `chart`.

    Raises:
        DataError: the texts do not have the same number of lines, or none.
        StreamError: the chart cannot be written.
    """
    from seqtrans.scoring import by_length_output as output
    from seqtrans.scoring.by_length import by_length

    buckets = by_length(source, systems, references, metrics)
    if chart is not None:
        write_chart(chart, output.as_chart(buckets))
    return output.as_json(source.name, buckets) if as_json else output.as_text(buckets)
