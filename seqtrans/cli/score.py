"""`seqtrans score`: hypotheses against references."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from seqtrans.cli.charts import check_chart
from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import DeviceOption, PrecisionOption, ThreadsOption
from seqtrans.cli.score_by_length import score_by_length
from seqtrans.cli.score_pairs import score_pairs
from seqtrans.cli.score_text import score_text
from seqtrans.cli.streams import say
from seqtrans.errors import UsageError
from seqtrans.scoring import Settings, Text, metric, metric_names
from seqtrans.text.lines import LineReport, open_input, read_lines

_MANY_TOKENIZED = 100
"""Lines that end in a separate full stop before a warning, as in sacreBLEU."""


def score(
    references: Annotated[
        list[str] | None,
        typer.Option(
            "-r",
            "--reference",
            metavar="REF...",
            help="References, one line for each line of a hypothesis file; several files are several "
            "references for each line. HYP comes before.",
        ),
    ] = None,
    hypotheses: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HYP",
            help="Translations; each file is a system, compared with the first. '-' or none: standard input.",
        ),
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="NAME...", help=f"{', '.join(metric_names())}. [default: bleu chrf]"),
    ] = None,
    tokenize: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="How bleu splits text: 13a, none, intl, char, zh. [default: 13a]"),
    ] = None,
    lowercase: Annotated[bool, typer.Option("--lowercase", help="Ignore case.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    by_length: Annotated[
        str | None,
        typer.Option(
            "--by-length",
            metavar="SOURCE",
            help="Score apart the lines whose sources, line by line in this file, have 1-5 words, 6-10 and so on.",
        ),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(
            "--chart", metavar="FILE.svg", help="With --by-length: draw the first metric, a line for each system."
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            help="A language model; HYP is then a text, and its score perplexity. Or a translator; HYP is then "
            "SOURCE TARGET, or one file with a TAB between them.",
        ),
    ] = None,
    sentences: Annotated[
        bool,
        typer.Option(
            "--sentences",
            help="With --model: print log-probability, subwords and perplexity of each line; the sum goes to stderr.",
        ),
    ] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="With --model: read each line by itself, not as going on from those before.")
    ] = False,
    cell: CellOption = None,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Score translations, or a text by a model.

    Each score of translations has the signature that makes it comparable.

    \b
    bleu, chrf, ter  sacreBLEU's, on detokenised text, 0 to 100 (ter: edits per 100 words)
    bleu01           textbook BLEU, 0 to 1, mean over lines; not comparable with bleu
    exact            percent of lines without any error
    wer              word error rate in percent: edits / reference words
    cer              character error rate in percent: edits / reference characters

    Where a line is one word spelt in phones ('h ə l oʊ'), wer is the phone error rate (PER), and the word
    error rate of that field is 100 - exact.

    Several systems are compared with the first by paired bootstrap resampling: 1000 resamples, fixed seed;
    by length of the source (--by-length) each bucket of lines is scored as a corpus of its own, without that.
    """  # noqa: D301 - a backspace, with which the help keeps the lines of a paragraph
    hypotheses = hypotheses or [_piped()]
    if chart is not None and by_length is None:
        raise UsageError("--chart draws scores by length: give the source with --by-length")
    if model is not None:
        if references or metrics or tokenize or lowercase or by_length is not None:
            raise UsageError(
                "--model scores a text, or translations by their sources: "
                "leave out -r, --metric, --tokenize, --lowercase and --by-length"
            )
        if hypotheses.count("-") > 1:
            raise UsageError("'-' names standard input, which can be read only once")
        from seqtrans.device import choose_compute

        compute = choose_compute(device, precision, threads)
        trained = load(model, cell)
        if trained.config.model.task == "translate":
            if alone:
                raise UsageError("a translator reads each line by itself in any case: leave out --alone")
            score_pairs(trained, compute, hypotheses, sentences, as_json)
        else:
            score_text(trained, compute, hypotheses, sentences, alone, as_json)
        return
    if not references:
        raise UsageError("nothing to score by: give references with --reference, or a language model with --model")
    if sentences or alone or cell or (precision, device, threads) != ("auto", "auto", 0):
        raise UsageError("--sentences, --alone, --cell, --precision, --device and --threads go with --model")
    wanted = list(dict.fromkeys(metrics or ["bleu", "chrf"]))
    if tokenize is not None and "bleu" not in wanted:
        raise UsageError(f"--tokenize only concerns bleu, not {', '.join(wanted)}")
    inputs = [*hypotheses, *references, *([] if by_length is None else [by_length])]
    if inputs.count("-") > 1:
        raise UsageError("'-' names standard input, which can be read only once; give the other text as a file")
    if chart is not None:
        check_chart(chart, [Path(path) for path in inputs if path != "-"])
    settings = Settings(lowercase, tokenize or "13a")
    chosen = [metric(name, settings) for name in wanted]
    systems = [_read(path) for path in hypotheses]
    answers = [_read(path) for path in references]
    if len(references) > 1 and hypotheses == ["-"] and not systems[0].lines:
        raise UsageError("no hypotheses on standard input; their files come before -r, which takes all after it")

    from seqtrans.scoring import evaluation, output

    if by_length is not None:
        report = score_by_length(_read(by_length), systems, answers, chosen, chart, as_json)
    else:
        evaluated = evaluation.evaluate(systems, answers, chosen)
        report = output.as_json(evaluated) if as_json else output.as_text(evaluated)
    if "bleu" in wanted and settings.tokenize in ("13a", "intl"):
        _warn_of_tokenized(systems)
    typer.echo(report)


def _piped() -> str:
    """Standard input as hypotheses, unless it is a terminal: then they were forgotten, or stand after -r."""
    if sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("no hypotheses: name files before -r, or pipe them in")
    return "-"


def _read(path: str) -> Text:
    with open_input(path) as (stream, name):
        report = LineReport(name)
        lines = list(read_lines(stream, report, strict=True))
    for warning in report.warnings():
        say(f"warning: {warning}")
    return Text(name, lines)


def _warn_of_tokenized(systems: Sequence[Text]) -> None:
    """BLEU of tokenised text is not the BLEU of the text: the commonest way to publish a wrong score."""
    for text in systems:
        tokenized = sum(line.endswith(" .") for line in text.lines)
        if tokenized >= _MANY_TOKENIZED:
            say(
                f"warning: {text.name}: {tokenized} lines end in ' .' as tokenised text does; "
                "bleu wants detokenised text, or --tokenize none"
            )
