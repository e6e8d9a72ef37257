"""`seqtrans inspect`: what is in a model file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from seqtrans.cli.inspect_gradients import inspect_gradients
from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import MODEL, OUTPUT
from seqtrans.errors import UsageError, printable


def inspect(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The model file.", rich_help_panel=MODEL)],
    cell: CellOption = None,
    gradients: Annotated[
        bool,
        typer.Option(
            "--gradients",
            help="Read text from standard input (for a translator, lines of SOURCE TAB TARGET), and print the norm of "
            "the gradient by the distance over which it is propagated back.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    chart: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg", help="With --gradients: also draw the norms as a chart.", rich_help_panel=OUTPUT
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Print what is in a model file.

    This is the architecture, sizes, vocabularies, hashes of the training data, scores and versions.

    With --gradients, print ||dL_T/dh_t|| for each distance T - t instead. L_T is -log p of the last prediction of a
    line, h_t is the output of a recurrent layer at step t. The norm at a distance is the mean over all lines that are
    long enough.

    Examples:
      seqtrans inspect m.safetensors
      seqtrans inspect m.safetensors --gradients --chart gradients.svg < dev.tsv
    """
    if gradients:
        inspect_gradients(model, cell, chart, as_json)
        return
    if chart is not None:
        raise UsageError("--chart goes with --gradients")

    from seqtrans.model.description import describe

    facts = describe(load(model, cell))
    facts = {"file": str(model), "bytes": model.stat().st_size, **facts}
    typer.echo(json.dumps(facts, ensure_ascii=False, indent=2) if as_json else _page(facts))


def _page(facts: dict[str, Any], indent: str = "") -> str:
    """Keys and values, one on each line, sections indented. Unprintable characters become `?`."""
    lines = []
    for key, value in ((printable(key), value) for key, value in facts.items()):
        if isinstance(value, dict):
            lines += [f"{indent}{key}", _page(value, indent + "  ")] if value else []
        else:
            shown = f"{value:,}" if type(value) is int else f"{value:.6g}" if isinstance(value, float) else value
            lines.append(f"{indent}{key:<24} {printable(str(shown))}")
    return "\n".join(lines)
