"""How commands write charts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from seqtrans.errors import UsageError
from seqtrans.io.files import atomic_output, check_output


def check_chart(chart: Path, inputs: Iterable[Path] = ()) -> None:
    """Make sure that the chart can be written, before anything is read or computed.

    Raises:
        UsageError: the chart is standard output, or one of the inputs.
        StreamError: it cannot be written.
    """
    if str(chart) == "-":
        raise UsageError("--chart needs the name of a file; the table goes to standard output")
    check_output(chart, inputs)


def write_chart(chart: Path, svg: str) -> None:
    """Write the chart, whole or not at all.

    Raises:
        StreamError: it cannot be written.
    """
    with atomic_output(chart) as stream:
        stream.write(svg.encode())
