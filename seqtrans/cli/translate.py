"""`seqtrans translate`: a filter from source lines to target lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from seqtrans import plugins
from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import DeviceOption, PrecisionOption, ThreadsOption
from seqtrans.cli.streams import say
from seqtrans.errors import UsageError

BEAM = 5

_FORMATS = ", ".join(plugins.names("seqtrans.formats"))


def translate(
    model: Annotated[Path, typer.Option("--model", "-m", help="The model file.")],
    beam: Annotated[
        int | None, typer.Option(help=f"Hypotheses kept at each step; 1 is greedy search. [default: {BEAM}]")
    ] = None,
    n_best: Annotated[int, typer.Option(help="Translations to print for each line.")] = 1,
    output_format: Annotated[str, typer.Option("--format", help=f"{_FORMATS}.")] = "text",
    alignment: Annotated[str, typer.Option(help="Add an alignment: none, subwords or words.")] = "none",
    length_penalty: Annotated[
        float | None,
        typer.Option(
            help="alpha in score = log-probability / length^alpha; 0 prefers short translations. [default: 1]"
        ),
    ] = None,
    cell: CellOption = None,
    batch_size: Annotated[int, typer.Option(help="Lines searched together.")] = 64,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Translate standard input to standard output.

    A line for a line, in order and as they come.
    """
    searched = beam is not None or length_penalty is not None
    beam, length_penalty = beam if beam is not None else BEAM, length_penalty if length_penalty is not None else 1.0
    if beam < 1 or n_best < 1 or batch_size < 1:
        raise UsageError("--beam, --n-best and --batch-size must be at least 1")
    if n_best > beam:
        raise UsageError(f"--n-best {n_best} needs a beam as wide: add --beam {n_best}")
    if n_best > 1 and output_format == "text":
        raise UsageError("--n-best needs --format moses or jsonl: in plain text, nothing tells the lists apart")
    if not 0 <= length_penalty <= 10:
        raise UsageError(f"--length-penalty must be between 0 and 10, not {length_penalty}")

    from seqtrans.device import choose_compute
    from seqtrans.formats import find_format
    from seqtrans.formats.base import Written, check_alignment
    from seqtrans.search.hypothesis import SearchOptions
    from seqtrans.tagging import line_translator
    from seqtrans.text.filters import chunks_of
    from seqtrans.text.lines import LineReport, open_input, read_lines
    from seqtrans.translation import CHUNK_BATCHES

    write = find_format(output_format)
    check_alignment(alignment)
    compute = choose_compute(device, precision, threads)
    options = SearchOptions(beam, n_best, length_penalty, alignments=alignment != "none")
    trained = load(model, cell)
    if searched and trained.config.model.task == "tag":
        raise UsageError("a tagger does not search: leave out --beam and --length-penalty")
    translator = line_translator(trained, compute, options, batch_size)
    if alignment != "none" and not trained.seq2seq.aligns:
        raise UsageError(f"{model}: has no attention, so there is no alignment to print")

    with open_input("-") as (stream, name):
        report = LineReport(name)
        try:
            chunks = chunks_of(stream, read_lines(stream, report), batch_size * CHUNK_BATCHES)
            number = 0
            for translations in translator.stream(chunks, report):
                for translation in translations:
                    sys.stdout.buffer.write(write(Written(number, translation, trained, alignment)))
                    number += 1
                sys.stdout.buffer.flush()
        finally:
            for warning in report.warnings():
                say(f"warning: {warning}")
