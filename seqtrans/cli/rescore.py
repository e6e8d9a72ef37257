"""`seqtrans rescore`: a filter of n-best lists."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import DeviceOption, PrecisionOption, ThreadsOption
from seqtrans.cli.streams import say
from seqtrans.errors import UsageError


def rescore(
    model: Annotated[Path, typer.Option("--model", "-m", help="The translator.")],
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The text that was translated.")],
    weight: Annotated[
        float, typer.Option(help="Of the model's log-probability a subword; the score before has the rest of 1.")
    ] = 1.0,
    cell: CellOption = None,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Rank n-best lists anew by another translator.

    Reads lists in the format of Moses from standard input, and writes them with a feature more, each best first.
    """
    if not 0 <= weight <= 1:
        raise UsageError(f"--weight must be between 0 and 1, not {weight}")
    if str(source) == "-":
        raise UsageError("standard input holds the lists: name a file as SOURCE")

    from seqtrans.device import choose_compute
    from seqtrans.forcing import Forcer
    from seqtrans.rescoring import parse, rescored
    from seqtrans.text.lines import LineReport, one_line, open_input, read_lines, read_whole

    compute = choose_compute(device, precision, threads)
    forcer = Forcer(load(model, cell), compute)
    sources, _ = read_whole(source, say)
    with open_input("-") as (stream, name):
        report = LineReport(name)
        lines = enumerate(read_lines(stream, report, strict=True), 1)
        entries = (parse(line, f"{name}:{number}") for number, line in lines)
        for ranked in rescored(entries, sources, forcer, weight, str(source)):
            sys.stdout.buffer.write(b"".join(one_line(entry.line()) for entry in ranked))
            sys.stdout.buffer.flush()
    for warning in report.warnings():
        say(f"warning: {warning}")
