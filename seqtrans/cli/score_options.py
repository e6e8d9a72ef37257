"""The arguments and options of `seqtrans score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqtrans import plugins
from seqtrans.cli.options import (
    METRIC,
    MODEL,
    OUTPUT,
    TEXT,
    completion,
    plugin_completion,
)

_METRICS = plugins.builtin_names("seqtrans.scoring.metrics")
_TOKENIZED_LINES = 100

HypothesesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="HYP...",
        help="Translations. Each file is a system; the others are compared with the first. '-' or nothing is "
        "standard input.",
        rich_help_panel=TEXT,
    ),
]
ReferencesOption = Annotated[
    list[str] | None,
    typer.Option(
        "-r",
        "--reference",
        metavar="REF...",
        help="References, one line for each line of HYP. Several files are several references for each line. "
        "Give HYP first.",
        rich_help_panel=TEXT,
    ),
]
ByLengthOption = Annotated[
    str | None,
    typer.Option(
        "--by-length",
        metavar="SOURCE",
        help="Score lines in groups by the length of their source in this file: 1-5 words, 6-10 and so on.",
        rich_help_panel=TEXT,
    ),
]
ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="Print a perplexity, without references. With a language model, HYP is a text; with a translator, "
        "HYP is SOURCE TARGET, or one file with a TAB between them.",
        rich_help_panel=MODEL,
    ),
]
AloneOption = Annotated[
    bool,
    typer.Option(
        "--alone",
        help="With a language model: score each line by itself, not as a continuation of the lines before.",
        rich_help_panel=MODEL,
    ),
]
MetricsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="NAME...",
        help=f"{', '.join(_METRICS)}. [default: bleu chrf]",
        rich_help_panel=METRIC,
        autocompletion=plugin_completion("seqtrans.scoring.metrics"),
    ),
]
TokenizeOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Tokenizer of bleu: 13a, none, intl, char or zh. [default: 13a]",
        rich_help_panel=METRIC,
        autocompletion=completion(["13a", "none", "intl", "char", "zh"]),
    ),
]
LowercaseOption = Annotated[bool, typer.Option("--lowercase", help="Ignore case.", rich_help_panel=METRIC)]
AsJsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.", rich_help_panel=OUTPUT)]
SentencesOption = Annotated[
    bool,
    typer.Option(
        "--sentences",
        help="With --model: print log-probability, subwords and perplexity of each line. The sum goes to standard "
        "error.",
        rich_help_panel=OUTPUT,
    ),
]
ChartOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.svg",
        help="With --by-length: draw the first metric, a curve for each system.",
        rich_help_panel=OUTPUT,
    ),
]
