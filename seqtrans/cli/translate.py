"""`seqtrans translate`: a filter from source lines to target lines."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqtrans import plugins
from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import DeviceOption, PrecisionOption, ThreadsOption
from seqtrans.cli.streams import say
from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from seqtrans.cli.search_options import Resolved
    from seqtrans.device import Compute
    from seqtrans.model.file import TrainedModel
    from seqtrans.translation import LineTranslator

_FORMATS = ", ".join(plugins.names("seqtrans.formats"))


def translate(
    models: Annotated[
        list[Path], typer.Option("--model", "-m", metavar="MODEL...", help="The model; several translate together.")
    ],
    beam: Annotated[
        int | None, typer.Option(help="Hypotheses kept at each step; 1 is greedy search. [default: 5]")
    ] = None,
    n_best: Annotated[int | None, typer.Option(help="Translations to print for each line. [default: 1]")] = None,
    output_format: Annotated[str, typer.Option("--format", help=f"{_FORMATS}.")] = "text",
    alignment: Annotated[str, typer.Option(help="Add an alignment: none, subwords or words.")] = "none",
    length_penalty: Annotated[
        float | None,
        typer.Option(
            help="alpha in score = log-probability / length^alpha; 0 prefers short translations. [default: 1]"
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with more settings, in a section [search].")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE...", help="Any of these settings, such as word_reward=0.5."),
    ] = None,
    language_model: Annotated[
        Path | None, typer.Option("--lm", help="A language model of the target language, which has a say.")
    ] = None,
    lm_weight: Annotated[float | None, typer.Option(help="How much of a say. [default: 0.2]")] = None,
    prefix: Annotated[
        bool, typer.Option("--prefix", help="Lines are SOURCE TAB PREFIX: what translations begin with.")
    ] = False,
    cell: CellOption = None,
    batch_size: Annotated[int, typer.Option(help="Lines searched together.")] = 64,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Translate standard input to standard output.

    A line for a line, in order and as they come.
    """
    if batch_size < 1:
        raise UsageError("--batch-size must be at least 1")
    if lm_weight is not None and language_model is None:
        raise UsageError("--lm-weight is the weight of a language model: name it with --lm")
    flags = {"beam": beam, "n_best": n_best, "length_penalty": length_penalty, "lm_weight": lm_weight}

    from seqtrans.cli.search_options import resolve
    from seqtrans.device import choose_compute
    from seqtrans.formats import find_format
    from seqtrans.formats.base import Written, check_alignment
    from seqtrans.text.filters import chunks_of
    from seqtrans.text.lines import LineReport, open_input, read_lines
    from seqtrans.translation import CHUNK_BATCHES

    write = find_format(output_format)
    check_alignment(alignment)
    resolved = resolve(config, settings or [], flags)
    if resolved.options.n_best > 1 and output_format == "text":
        raise UsageError("--n-best needs --format moses or jsonl: in plain text, nothing tells the lists apart")
    resolved = replace(resolved, options=replace(resolved.options, alignments=alignment != "none"))
    compute = choose_compute(device, precision, threads)
    trained = [load(model, cell) for model in models]
    language = None if language_model is None else load(language_model, cell)
    translator = _translator(trained, language, compute, resolved, prefix, batch_size)
    coverage = resolved.options.ranking.coverage_penalty
    if (alignment != "none" or coverage) and not any(model.seq2seq.aligns for model in trained):
        raise UsageError(f"{models[0]}: has no attention, so there is no alignment to print, and no coverage to count")

    with open_input("-") as (stream, name):
        report = LineReport(name)
        try:
            chunks = chunks_of(stream, read_lines(stream, report), batch_size * CHUNK_BATCHES)
            number = 0
            for translations in translator.stream(chunks, report):
                for translation in translations:
                    sys.stdout.buffer.write(write(Written(number, translation, trained[0], alignment)))
                    number += 1
                sys.stdout.buffer.flush()
        finally:
            for warning in report.warnings():
                say(f"warning: {warning}")


def _translator(
    trained: list[TrainedModel],
    language: TrainedModel | None,
    compute: Compute,
    resolved: Resolved,
    prefixed: bool,
    batch_size: int,
) -> LineTranslator:
    """What turns lines into lines: a search by all models, or a tagger."""
    from seqtrans.search.combination import combined
    from seqtrans.tagging import line_translator
    from seqtrans.translation import Translator

    first, options = trained[0], resolved.options
    if first.config.model.task == "tag":
        if resolved.given - {"n_best"} or language is not None or prefixed or len(trained) > 1:
            raise UsageError("a tagger does not search: leave out --beam, --length-penalty and the like")
        return line_translator(first, compute, options, batch_size)
    if "max_ratio" not in resolved.given:
        options = replace(options, max_ratio=max(model.length_ratio for model in trained))
    scorer = combined(trained, language, resolved.combination, compute.device)
    return Translator(first, compute, options, batch_size, scorer=scorer, prefixed=prefixed)
