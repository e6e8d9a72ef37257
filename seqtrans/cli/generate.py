"""`seqtrans generate`: text drawn from a language model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import MODEL, SEARCH, TEXT, DeviceOption, PrecisionOption, ThreadsOption
from seqtrans.cli.settings import explicit_settings


def generate(
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="MODEL", help="The language model.", rich_help_panel=MODEL)
    ],
    lines: Annotated[
        int,
        typer.Option(
            "--lines",
            "-n",
            metavar="N",
            help="Number of lines; each continues the text of the lines before.",
            rich_help_panel=TEXT,
        ),
    ] = 10,
    prompt: Annotated[
        str, typer.Option(metavar="TEXT", help="Beginning of the first line.", rich_help_panel=TEXT)
    ] = "",
    max_length: Annotated[
        int, typer.Option(metavar="N", help="Longest line, in subwords.", rich_help_panel=TEXT)
    ] = 1000,
    temperature: Annotated[
        float,
        typer.Option(
            metavar="X",
            help="The log-probabilities are divided by this: below 1, likely subwords are drawn more often, above 1 "
            "less often. 0 takes the most likely subword.",
            rich_help_panel=SEARCH,
        ),
    ] = 1.0,
    top_k: Annotated[
        int,
        typer.Option(metavar="K", help="Draw from the K most likely subwords; 0 means all.", rich_help_panel=SEARCH),
    ] = 0,
    top_p: Annotated[
        float,
        typer.Option(
            metavar="P",
            help="Draw from the most likely subwords that together have probability P.",
            rich_help_panel=SEARCH,
        ),
    ] = 1.0,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Random seed; the same seed draws the same lines.", rich_help_panel=SEARCH)
    ] = 1,
    cell: CellOption = None,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Draw lines of text from a language model.

    Examples:
      seqtrans generate -m lm.safetensors --lines 3 --prompt "The weather"
      seqtrans generate -m lm.safetensors --top-p 0.9 --seed 2
    """
    from seqtrans.config.binding import checked_values
    from seqtrans.device import choose_compute
    from seqtrans.inference.generation import GenerationOptions
    from seqtrans.inference.language_model import LanguageModel
    from seqtrans.io.line_report import LineReport
    from seqtrans.io.lines import one_line
    from seqtrans.text.unknown import count_unknown

    flags: dict[str, Any] = {
        "lines": lines, "prompt": prompt, "temperature": temperature, "top_k": top_k, "top_p": top_p,
        "max_length": max_length, "seed": seed,
    }  # fmt: skip
    for settings, flag in explicit_settings([], flags):
        checked_values(GenerationOptions, "generate", settings, flag)  # so that errors name the flag
    options = GenerationOptions(**flags)
    trained = load(model, cell)
    language_model = LanguageModel(trained, choose_compute(device, precision, threads))
    report = LineReport("--prompt")
    count_unknown(report, trained.target_subwords, [prompt])
    report.log_warnings()
    for line in language_model.generate(options):
        sys.stdout.buffer.write(one_line(line))
        sys.stdout.buffer.flush()
