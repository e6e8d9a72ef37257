"""`seqtrans inspect`: what is in a model file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from seqtrans.cli.models import CellOption, load


def inspect(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The model file.")],
    cell: CellOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print a model's architecture, size, vocabularies, training data hashes, scores and versions."""
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
            lines.append(f"{indent}{key:<24} {value:,}" if type(value) is int else f"{indent}{key:<24} {value}")
    return "\n".join(lines)
