"""`seqtrans rescore`: a filter that ranks n-best lists again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import MODEL, TEXT, DeviceOption, PrecisionOption, ThreadsOption
from seqtrans.cli.texts import OutputOption, check_texts, open_output, tell_of_terminal
from seqtrans.errors import UsageError
from seqtrans.io.content import check_text

if TYPE_CHECKING:
    from seqtrans.inference.rescoring import Entry


def rescore(
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="MODEL", help="The translator.", rich_help_panel=MODEL)
    ],
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", help="The text of which the lists are translations.", rich_help_panel=TEXT),
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="LISTS...",
            help="N-best lists, read one file after the other; - or nothing is standard input.",
            rich_help_panel=TEXT,
        ),
    ] = None,
    weight: Annotated[
        float,
        typer.Option(
            metavar="W",
            help="New score = W * log-probability per subword + (1 - W) * the score in the list.",
            rich_help_panel=MODEL,
        ),
    ] = 1.0,
    output: OutputOption = None,
    cell: CellOption = None,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Rank n-best lists again by another translator.

    Reads lists in the format of Moses, adds the translator's log-probability to the features of each entry, and writes
    each list with the best entry first.

    Examples:
      seqtrans translate -m a.safetensors --n-best 5 --format moses < text > lists
      seqtrans rescore -m b.safetensors text --weight 0.5 < lists > reranked
    """
    if not 0 <= weight <= 1:
        raise UsageError(f"--weight must be between 0 and 1, not {weight}")
    if str(source) == "-":
        raise UsageError("standard input is not for the text: name a file as SOURCE")
    lists = check_texts(files, output, [model, source])
    check_text(source)

    from seqtrans.device import choose_compute
    from seqtrans.inference.forced_decoding import ForcedDecoder
    from seqtrans.inference.rescoring import parse, rescored_lists
    from seqtrans.io.line_report import LineReport
    from seqtrans.io.lines import one_line, open_input, read_lines, read_whole
    from seqtrans.text.unknown import count_unknown

    compute = choose_compute(device, precision, threads)
    trained = load(model, cell)
    decoder = ForcedDecoder(trained, compute)
    sources, _ = read_whole(source)
    source_report = LineReport(str(source))
    count_unknown(source_report, trained.source_subwords, sources)
    source_report.log_warnings()
    tell_of_terminal(lists)

    def entries() -> Iterator[Entry]:
        for file in lists:
            with open_input(file) as (stream, name):
                report = LineReport(name)
                for number, line in enumerate(read_lines(stream, report, strict=True), 1):
                    entry = parse(line, f"{name}:{number}")
                    count_unknown(report, trained.target_subwords, [entry.text], number)
                    yield entry
                report.log_warnings()

    with open_output(output) as sink:
        for ranked in rescored_lists(entries(), sources, decoder, weight, str(source)):
            sink.write(b"".join(one_line(entry.line()) for entry in ranked))
            sink.flush()
