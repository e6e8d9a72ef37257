"""`seqtrans rescore`: a filter that ranks n-best lists again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import MODEL, TEXT, DeviceOption, PrecisionOption, ThreadsOption
from seqtrans.errors import UsageError


def rescore(
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="MODEL", help="The translator.", rich_help_panel=MODEL)
    ],
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", help="The text of which the lists are translations.", rich_help_panel=TEXT),
    ],
    weight: Annotated[
        float,
        typer.Option(
            metavar="W",
            help="New score = W * log-probability per subword + (1 - W) * the score in the list.",
            rich_help_panel=MODEL,
        ),
    ] = 1.0,
    cell: CellOption = None,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Rank n-best lists again by another translator.

    Reads lists in the format of Moses from standard input, adds the translator's log-probability to the features of
    each entry, and writes each list with the best entry first.

    Examples:
      seqtrans translate -m a.safetensors --n-best 5 --format moses < text > lists
      seqtrans rescore -m b.safetensors text --weight 0.5 < lists > reranked
    """
    if not 0 <= weight <= 1:
        raise UsageError(f"--weight must be between 0 and 1, not {weight}")
    if str(source) == "-":
        raise UsageError("standard input has the n-best lists: name a file as SOURCE")

    from seqtrans.device import choose_compute
    from seqtrans.inference.forced_decoding import ForcedDecoder
    from seqtrans.inference.rescoring import parse, rescored_lists
    from seqtrans.io.lines import LineReport, one_line, open_input, read_lines, read_whole

    compute = choose_compute(device, precision, threads)
    decoder = ForcedDecoder(load(model, cell), compute)
    sources, _ = read_whole(source)
    with open_input("-") as (stream, name):
        report = LineReport(name)
        lines = enumerate(read_lines(stream, report, strict=True), 1)
        entries = (parse(line, f"{name}:{number}") for number, line in lines)
        for ranked in rescored_lists(entries, sources, decoder, weight, str(source)):
            sys.stdout.buffer.write(b"".join(one_line(entry.line()) for entry in ranked))
            sys.stdout.buffer.flush()
    report.log_warnings()
