"""`seqtrans score --by-length`: scores by length of the source, and their chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqtrans.errors import UsageError
from seqtrans.scoring import Metric, Text
from seqtrans.text.files import atomic_output, check_output


def check_chart(chart: Path, inputs: Sequence[str]) -> None:
    """Make sure that the chart can be written, before anything is read or scored.

    Raises:
        UsageError: it has no file of its own.
        StreamError: it cannot be written.
    """
    if str(chart) == "-":
        raise UsageError("--chart needs the name of a file; standard output has the table")
    check_output(chart, [Path(path) for path in inputs if path != "-"])


def score_by_length(
    source: Text,
    systems: Sequence[Text],
    references: Sequence[Text],
    metrics: Sequence[Metric],
    chart: Path | None,
    as_json: bool,
) -> str:
    """The scores of each bucket of lengths as text or JSON; with `chart`, the first metric's are drawn there.

    Raises:
        DataError: the texts do not have the same number of lines, or none.
        StreamError: the chart cannot be written.
    """
    from seqtrans.scoring import by_length_output as output
    from seqtrans.scoring.by_length import by_length

    buckets = by_length(source, systems, references, metrics)
    if chart is not None:
        with atomic_output(chart) as stream:
            stream.write(output.as_chart(buckets).encode("utf-8"))
    return output.as_json(source.name, buckets) if as_json else output.as_text(buckets)
