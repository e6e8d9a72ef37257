"""The arguments and options of `seqtrans translate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqtrans import plugins
from seqtrans.cli.options import (
    MACHINE,
    MODEL,
    OUTPUT,
    SEARCH,
    TEXT,
    completion,
    plugin_completion,
)

_FORMATS = plugins.builtin_names("seqtrans.inference.formats")

ModelsOption = Annotated[
    list[Path],
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL...",
        help="The model; several models translate together, as an ensemble.",
        rich_help_panel=MODEL,
    ),
]
LanguageModelOption = Annotated[
    Path | None,
    typer.Option(
        "--lm",
        metavar="MODEL",
        help="A language model of the target language, whose log-probabilities are added to the translator's.",
        rich_help_panel=MODEL,
    ),
]
LmWeightOption = Annotated[
    float | None,
    typer.Option(
        metavar="X", help="Weight of the language model's log-probabilities. [default: 0.2]", rich_help_panel=MODEL
    ),
]
BeamOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Hypotheses that are kept at each step; 1 is greedy search. [default: 5]",
        rich_help_panel=SEARCH,
    ),
]
LengthPenaltyOption = Annotated[
    float | None,
    typer.Option(
        metavar="X",
        help="alpha in score = log-probability / length^alpha; 0 prefers short translations. [default: 1]",
        rich_help_panel=SEARCH,
    ),
]
ExactOption = Annotated[
    bool,
    typer.Option(
        "--exact",
        help="Search until the best translation is proven to be the best under the model.",
        rich_help_panel=SEARCH,
    ),
]
SampleOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Draw N random translations of each line from the model, instead of searching.",
        rich_help_panel=SEARCH,
    ),
]
ShortlistOption = Annotated[
    bool,
    typer.Option(
        "--shortlist",
        help="Choose only among likely translations of a line's subwords. This makes large batches faster.",
        rich_help_panel=SEARCH,
    ),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE...",
        help="Any other search setting, such as word_reward=0.5; GUIDE.md lists them.",
        rich_help_panel=SEARCH,
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="TOML file with search settings in its section [search]. Flags override them.",
        rich_help_panel=SEARCH,
    ),
]
PrefixOption = Annotated[
    bool,
    typer.Option(
        "--prefix",
        help="Input lines are SOURCE TAB PREFIX; each translation begins with its prefix.",
        rich_help_panel=TEXT,
    ),
]
RequireOption = Annotated[
    bool,
    typer.Option(
        "--require",
        help="Input lines are SOURCE TAB PHRASE TAB PHRASE...; each translation contains its phrases. With "
        "--prefix, the second column is the prefix.",
        rich_help_panel=TEXT,
    ),
]
NBestOption = Annotated[
    int | None,
    typer.Option(metavar="N", help="Translations to print for each line. [default: 1]", rich_help_panel=OUTPUT),
]
OutputFormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"{', '.join(_FORMATS)}.",
        rich_help_panel=OUTPUT,
        autocompletion=plugin_completion("seqtrans.inference.formats"),
    ),
]
AlignmentOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Add an alignment: none, subwords or words. [default: none]",
        rich_help_panel=OUTPUT,
        autocompletion=completion(["none", "subwords", "words"]),
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write every hypothesis that the search kept, pruned or finished to FILE, as JSON lines.",
        rich_help_panel=OUTPUT,
    ),
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", help="Show the speed on standard error.", rich_help_panel=OUTPUT)
]
BatchSizeOption = Annotated[
    int, typer.Option(metavar="N", min=1, help="Lines that are translated together.", rich_help_panel=MACHINE)
]
ProcessesOption = Annotated[
    int,
    typer.Option(metavar="N", min=1, help="Processes that share lines and processor threads.", rich_help_panel=MACHINE),
]
PrecisionOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Arithmetic: auto, fp32, bf16 or int8 (faster on processors without bf16).",
        rich_help_panel=MACHINE,
        autocompletion=completion(["auto", "fp32", "bf16", "int8"]),
    ),
]
