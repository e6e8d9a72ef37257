"""`seqtrans score`: hypotheses against references, or texts by a model."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from seqtrans.cli.charts import check_chart
from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import (
    DeviceOption,
    PrecisionOption,
    ThreadsOption,
)
from seqtrans.cli.score_by_length import score_by_length
from seqtrans.cli.score_options import (
    AloneOption,
    AsJsonOption,
    ByLengthOption,
    ChartOption,
    HypothesesArgument,
    LowercaseOption,
    MetricsOption,
    ModelOption,
    ReferencesOption,
    SentencesOption,
    TokenizeOption,
)
from seqtrans.cli.score_pairs import score_pairs
from seqtrans.cli.score_text import score_text
from seqtrans.errors import UsageError
from seqtrans.io.line_report import LineReport
from seqtrans.io.lines import open_input, read_lines
from seqtrans.scoring import MetricSettings, Text, metric, suitability

_logger = logging.getLogger(__name__)

_TOKENIZED_LINES = 100
"""Lines that end in a separate full stop; from this number on there is a warning, as in sacreBLEU."""


def score(
    hypotheses: HypothesesArgument = None,
    references: ReferencesOption = None,
    by_length: ByLengthOption = None,
    model: ModelOption = None,
    alone: AloneOption = False,
    cell: CellOption = None,
    metrics: MetricsOption = None,
    tokenize: TokenizeOption = None,
    lowercase: LowercaseOption = False,
    as_json: AsJsonOption = False,
    sentences: SentencesOption = False,
    chart: ChartOption = None,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Score translations by references, or texts by a model.

    Scores by references have a signature: scores with the same signature are comparable.

    \b
    bleu, chrf, ter  as in sacreBLEU, on detokenised text, 0 to 100
                     (ter: edits per 100 words)
    bleu01           textbook BLEU, 0 to 1, mean over lines; differs from bleu
    exact            percent of lines without any error
    wer              word error rate in percent: edits / reference words
    cer              character error rate in percent: edits / reference characters

    In grapheme-to-phoneme conversion a line is a word, spelt in phones ('h ə l oʊ'): the phone error rate (PER) is
    wer, and the word error rate is 100 - exact.

    Several systems are compared with the first by paired bootstrap resampling, with 1000 resamples and a fixed seed.
    With --by-length, each group of lines is scored as a corpus, and systems are not compared.

    Examples:
      seqtrans score hypotheses.txt -r references.txt
      seqtrans score a.txt b.txt -r references.txt --metric bleu ter
      seqtrans score -m lm.safetensors text.txt
    """  # noqa: D301 - a backspace, with which the help keeps the lines of a paragraph
    hypotheses = hypotheses or [_standard_input()]
    if chart is not None and by_length is None:
        raise UsageError("--chart draws scores by length: name the source with --by-length")
    if model is not None:
        if references or metrics or tokenize or lowercase or by_length is not None:
            raise UsageError(
                "--model scores without references: leave out -r, --metric, --tokenize, --lowercase and --by-length"
            )
        _score_by_model(model, cell, hypotheses, (device, precision, threads), alone, sentences, as_json)
        return
    if not references:
        raise UsageError("no references: name them with --reference, or a model with --model")
    if sentences or alone or cell or (precision, device, threads) != ("auto", "auto", 0):
        raise UsageError("--sentences, --alone, --cell, --precision, --device and --threads go with --model")
    names = list(dict.fromkeys(metrics or ["bleu", "chrf"]))
    if tokenize is not None and "bleu" not in names:
        raise UsageError(f"--tokenize only concerns bleu, not {', '.join(names)}")
    settings = MetricSettings(lowercase, tokenize or "13a")
    typer.echo(_scores_by_references(hypotheses, references, by_length, names, settings, chart, as_json))


def _score_by_model(
    model: Path,
    cell: str | None,
    texts: list[str],
    machine: tuple[str, str, int],
    alone: bool,
    sentences: bool,
    as_json: bool,
) -> None:
    """Print the perplexity of texts; `machine` is device, precision and threads."""
    if texts.count("-") > 1:
        raise UsageError("'-' names standard input, which can be read only once")
    from seqtrans.device import choose_compute

    compute = choose_compute(*machine)
    trained = load(model, cell)
    if trained.config.model.task == "translate":
        if alone:
            raise UsageError("a translator always scores each line by itself: leave out --alone")
        score_pairs(trained, compute, texts, sentences, as_json)
    else:
        score_text(trained, compute, texts, sentences, alone, as_json)


def _scores_by_references(
    hypotheses: list[str],
    references: list[str],
    by_length: str | None,
    names: list[str],
    settings: MetricSettings,
    chart: Path | None,
    as_json: bool,
) -> str:
    """The scores of hypothesis files by the metrics of these names, as text or JSON."""
    inputs = [*hypotheses, *references, *([] if by_length is None else [by_length])]
    if inputs.count("-") > 1:
        raise UsageError("'-' names standard input, which can be read only once; give the other text as a file")
    if chart is not None:
        check_chart(chart, [Path(path) for path in inputs if path != "-"])
    metrics = [metric(name, settings) for name in names]
    systems = [_read(path) for path in hypotheses]
    reference_texts = [_read(path) for path in references]
    if len(references) > 1 and hypotheses == ["-"] and not systems[0].lines:
        raise UsageError("no hypotheses on standard input; their files come before -r, which takes all files after it")

    from seqtrans.scoring import evaluation, output

    if by_length is not None:
        report = score_by_length(_read(by_length), systems, reference_texts, metrics, chart, as_json)
    else:
        scores = evaluation.evaluate(systems, reference_texts, metrics)
        report = output.as_json(scores) if as_json else output.as_text(scores)
    _warn_of_columns(systems, reference_texts)
    _warn_of_missing_spaces(reference_texts, names, settings)
    if "bleu" in names and settings.tokenize in ("13a", "intl"):
        _warn_of_tokenized_text(systems)
    return report


def _standard_input() -> str:
    """`-`, unless standard input is a terminal: then the hypotheses were left out, or given after -r."""
    if sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("no hypotheses: name files before -r, or pipe them in")
    return "-"


def _read(path: str) -> Text:
    with open_input(path) as (stream, name):
        report = LineReport(name)
        lines = list(read_lines(stream, report, strict=True))
    report.log_warnings()
    return Text(name, lines)


def _warn_of_tokenized_text(systems: Sequence[Text]) -> None:
    """Warn if hypotheses seem to be tokenised. BLEU would tokenise them again, and the score would be wrong."""
    for text in systems:
        tokenized = sum(line.endswith(" .") for line in text.lines)
        if tokenized >= _TOKENIZED_LINES:
            _logger.warning(
                f"{text.name}: {tokenized} lines end in ' .' as tokenised text does; "
                "give bleu detokenised text, or use --tokenize none"
            )


def _warn_of_missing_spaces(references: Sequence[Text], names: list[str], settings: MetricSettings) -> None:
    """Warn if a metric takes the words for granted that are between spaces, and the references have none."""
    fitting = suitability.fitting_settings(references[0].lines).tokenize
    fooled = [name for name in names if name in ("bleu01", "wer") or (name == "bleu" and settings.tokenize == "13a")]
    if fooled and fitting != MetricSettings().tokenize:
        _logger.warning(
            f"{references[0].name}: written without spaces between words, which {' and '.join(fooled)} counts; "
            f"use bleu with --tokenize {fitting}, chrf or cer"
        )


def _warn_of_columns(systems: Sequence[Text], references: Sequence[Text]) -> None:
    """Warn if every line of a text on one side has columns, and none on the other side: they can hardly be alike."""
    for texts, others in ((systems, references), (references, systems)):
        if any("\t" in line for text in others for line in text.lines):
            continue
        for text in texts:
            if text.lines and all("\t" in line for line in text.lines):
                _logger.warning(
                    f"{text.name}: each line has a TAB, and no line of {others[0].name} has one: `cut -f 1` gives the "
                    "first column, such as a translation without its alignment, or a source without what `seqtrans "
                    "translate` reads with --prefix or --require"
                )
                return
