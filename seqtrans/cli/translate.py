"""`seqtrans translate`: a filter from source lines to target lines."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqtrans import plugins
from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import DeviceOption, ThreadsOption
from seqtrans.cli.pace import Pace
from seqtrans.cli.search_checks import Wanted, check
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
    require: Annotated[
        bool,
        typer.Option(
            "--require", help="Lines are SOURCE TAB PHRASE TAB PHRASE...: what translations hold (after the PREFIX)."
        ),
    ] = False,
    sample: Annotated[
        int,
        typer.Option(min=0, max=10_000, help="Draw so many translations of each line at random, in place of a search."),
    ] = 0,
    exact: Annotated[
        bool, typer.Option("--exact", help="Go on until the best translation is proven to be the best there is.")
    ] = False,
    shortlist: Annotated[
        bool,
        typer.Option(
            "--shortlist", help="Choose only from likely translations of a line's subwords: batches are faster."
        ),
    ] = False,
    processes: Annotated[int, typer.Option(help="Processes that share the lines, each with its share of threads.")] = 1,
    cell: CellOption = None,
    batch_size: Annotated[int, typer.Option(help="Lines searched together.")] = 64,
    precision: Annotated[
        str, typer.Option(help="auto, fp32, bf16, or int8, which helps where bf16 does not.")
    ] = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all that the search kept, pruned and finished, as JSON lines."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say how fast it goes.")] = False,
) -> None:
    """Translate standard input to standard output.

    A line for a line, in order and as they come.
    """
    if batch_size < 1 or processes < 1:
        raise UsageError("--batch-size and --processes must be at least 1")
    flags = {"beam": beam, "n_best": n_best, "length_penalty": length_penalty, "lm_weight": lm_weight}
    flags["shortlist"] = shortlist or None

    import torch

    from seqtrans.cli.search_options import resolve
    from seqtrans.device import SEARCHED, choose_compute
    from seqtrans.formats import find_format
    from seqtrans.formats.base import Written, check_alignment
    from seqtrans.recurrent.packing import packs
    from seqtrans.search_report import report_line
    from seqtrans.text.files import atomic_output, check_output
    from seqtrans.text.filters import chunks_of
    from seqtrans.text.lines import LineReport, open_input, read_lines
    from seqtrans.translation import CHUNK_BATCHES, MAX_SOURCE
    from seqtrans.workers import Answered, answers, check_processes

    write = find_format(output_format)
    check_alignment(alignment)
    resolved = resolve(config, settings or [], flags, drawn=sample > 0)
    wanted = Wanted(
        len(models), language_model is not None, prefix, require, sample, exact, report is not None, output_format
    )
    check(resolved, wanted)
    if str(report) == "-":
        raise UsageError("--report: standard output holds the translations; name a file")
    if report is not None:
        check_output(report, [*models, *(path for path in (language_model, config) if path is not None)])
    asked = replace(resolved.options, alignments=alignment != "none", exact=exact, samples=sample)
    resolved = replace(resolved, options=asked)
    begun = time.perf_counter()
    compute = choose_compute(device, precision, threads if processes == 1 else 1, precisions=SEARCHED)
    check_processes(processes, compute.device)
    if compute.int8 and not packs(torch.int8):
        raise UsageError("--precision int8: this build of torch has no such products; leave it out")
    trained = [load(model, cell) for model in models]
    if trained[0].config.model.task == "tag":
        resolved = _for_a_tagger(resolved, wanted)
    language = None if language_model is None else load(language_model, cell)
    translator = _translator(trained, language, compute, resolved, wanted, batch_size)
    if (alignment != "none" or resolved.options.copy_unknown) and not any(model.seq2seq.aligns for model in trained):
        raise UsageError(f"{models[0]}: has no attention, so there is no alignment to print, or to copy by")
    if resolved.options.ranking.coverage_penalty and not all(model.seq2seq.aligns for model in trained):
        raise UsageError("coverage_penalty counts attention, which not every model has: leave it out")

    def answer(lines: list[str], first: int) -> Answered:
        found = list(enumerate(translator.translate(lines), first))
        written = [write(Written(number, translation, trained[0], alignment)) for number, translation in found]
        unread = [number + 1 for number, translation in found if translation.cut]
        unmet = [number + 1 for number, translation in found if translation.unmet]
        unsaid = [number + 1 for number, translation in found if translation.unsaid]
        unproven = sum(translation.proven is False for _, translation in found)
        sides = trained[0].source_subwords, trained[0].target_subwords
        told = b"" if report is None else b"".join(report_line(*one, *sides) for one in found)
        return Answered(written, unread, unmet, unsaid, unproven, told)

    with open_input("-") as (stream, name), nullcontext() if report is None else atomic_output(report) as told:
        line_report = LineReport(name, unread_beyond=f"{MAX_SOURCE} subwords")
        pace, unproven = Pace(begun), 0
        try:
            batches = 1 if report is not None else max(1, CHUNK_BATCHES // processes)  # whole searches are large
            chunk = max(1, batch_size * batches // max(1, sample))
            chunks = chunks_of(stream, read_lines(stream, line_report), chunk)
            for answered in answers(answer, chunks, processes, threads):
                translator.check(line_report, pace.lines + len(answered.lines))
                for tally, numbers in (
                    (line_report.unread, answered.unread),
                    (line_report.unmet, answered.unmet),
                    (line_report.unsaid, answered.unsaid),
                ):
                    for number in numbers:
                        tally.add(number)
                if told is not None:
                    told.write(answered.reports)
                sys.stdout.buffer.write(b"".join(answered.lines))
                sys.stdout.buffer.flush()
                unproven += answered.unproven
                pace.count(len(answered.lines))
                if verbose and pace.is_time():
                    say(pace.describe())
        finally:
            for warning in line_report.warnings():
                say(f"warning: {warning}")
            if verbose:
                say(pace.describe())
            if exact:
                say(f"{pace.lines - unproven:,} of {pace.lines:,} translations are proven to be the best there is")


_NO_SHORTLIST = (
    "shortlist: no model has one: fewer than 1,000 target subwords, or trained with text.shortlist = 0 or by an older "
    "version, or the average of models with different ones; leave it out, or train anew"
)


def _for_a_tagger(resolved: Resolved, wanted: Wanted) -> Resolved:
    """Without what a file or the environment says to searches."""
    from seqtrans.search.hypothesis import SearchOptions

    if resolved.said - {"n_best"} or not wanted.is_plain:
        raise UsageError("a tagger does not search: leave out --beam, --length-penalty and the like")
    n_best = resolved.options.n_best if "n_best" in resolved.said else 1
    return replace(resolved, options=SearchOptions(n_best=n_best, alignments=resolved.options.alignments))


def _translator(
    trained: list[TrainedModel],
    language: TrainedModel | None,
    compute: Compute,
    resolved: Resolved,
    wanted: Wanted,
    batch_size: int,
) -> LineTranslator:
    """What turns lines into lines: a search by all models, or a tagger."""
    from seqtrans.search.combination import combined
    from seqtrans.tagging import line_translator
    from seqtrans.translation import Translator

    first, options = trained[0], resolved.options
    if first.config.model.task == "tag":
        if compute.int8:
            raise UsageError("a tagger has no products in int8: leave out --precision int8")
        return line_translator(first, compute, options, batch_size)
    listed = next((model for model in trained if model.shortlist is not None), None)
    if options.shortlist and listed is None:
        raise UsageError(_NO_SHORTLIST)
    # what is said of the shortest goes before what is not said of the longest
    if "max_ratio" not in resolved.given:
        options = replace(options, max_ratio=max(options.min_ratio, *(model.length_ratio for model in trained)))
    if "max_extra" not in resolved.given:
        options = replace(options, max_extra=max(options.min_extra, options.max_extra))
    scorer = combined(trained, language, resolved.combination, compute.device)
    return Translator(
        first,
        compute,
        options,
        batch_size,
        scorer=scorer,
        prefixed=wanted.prefix,
        required=wanted.require,
        watched=wanted.report,
        shortlist=listed.shortlist if options.shortlist and listed is not None else None,
    )
