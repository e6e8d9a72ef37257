"""`seqtrans inspect`: what is in a model file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from seqtrans.cli.inspect_gradients import inspect_gradients
from seqtrans.cli.models import CellOption, load
from seqtrans.errors import UsageError


def inspect(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The model file.")],
    cell: CellOption = None,
    gradients: Annotated[
        bool,
        typer.Option(
            "--gradients",
            help="Read lines of text (of a translator: source TAB target) from standard input, and print how much the "
            "loss of a line's last prediction depends on the output of each layer so many steps before.",
        ),
    ] = False,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="With --gradients: draw them into a file too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print what is in a model file.

    The architecture, sizes, vocabularies, hashes of the training data, scores and versions.

    With --gradients, print ||dL_T/dh_t|| against T - t instead: L_T is -log p of the last prediction of a line, h_t
    the output of a recurrent layer at step t, and the norm a mean over the lines that are so long.
    """
    if gradients:
        inspect_gradients(model, cell, chart, as_json)
        return
    if chart is not None:
        raise UsageError("--chart goes with --gradients")

    from seqtrans.model.file import describe

    facts = describe(load(model, cell))
    facts = {"file": str(model), "bytes": model.stat().st_size, **facts}
    typer.echo(json.dumps(facts, ensure_ascii=False, indent=2) if as_json else _page(facts))


def _page(facts: dict[str, Any], indent: str = "") -> str:
    """Keys and values, sections indented."""
    lines = []
    for key, value in facts.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}", _page(value, indent + "  ")] if value else []
        else:
            shown = f"{value:,}" if type(value) is int else f"{value:.6g}" if isinstance(value, float) else value
            lines.append(f"{indent}{key:<24} {shown}")
    return "\n".join(lines)
