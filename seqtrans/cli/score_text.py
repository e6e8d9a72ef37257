"""`seqtrans score --model`: a text by a language model."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import typer

from seqtrans.cli.models import load
from seqtrans.errors import DataError
from seqtrans.text.lines import LineReport, open_input, read_lines

CHUNK = 256
"""Lines that are read together."""


def score_text(
    model: Path, cell: str | None, texts: list[str], sentences: bool, alone: bool, as_json: bool, precision: str
) -> None:
    """Print the perplexity of all texts together; with `sentences`, a line for each line on standard output."""
    from itertools import islice

    from seqtrans.device import choose_compute
    from seqtrans.perplexity import Reader, Reading

    reader = Reader(load(model, cell), choose_compute(precision=precision), alone)
    total, count = Reading(0.0, 0, 0), 0
    for path in texts:
        with open_input(path) as (stream, name):
            report = LineReport(name)
            lines = read_lines(stream, report)
            while chunk := list(islice(lines, CHUNK)):
                for reading in reader.read(chunk):
                    total, count = total + reading, count + 1
                    if sentences:
                        typer.echo(f"{-reading.nats:.4f}\t{reading.subwords}\t{reading.perplexity:.2f}")
            for warning in report.warnings():
                print(f"seqtrans: warning: {warning}", file=sys.stderr)
    if not count:
        raise DataError(f"{', '.join(texts)}: there are no lines")
    facts = {
        "perplexity": total.perplexity if math.isfinite(total.perplexity) else None,
        "nats_per_character": total.nats_per_character,
        "bits_per_character": total.bits_per_character,
        "log_probability": -total.nats,
        "subwords": total.subwords,
        "characters": total.characters,
        "lines": count,
    }
    line = (
        f"perplexity {total.perplexity:.3f} a subword, {total.nats_per_character:.4f} nats and "
        f"{total.bits_per_character:.4f} bits a character; {count:,} lines, {total.subwords:,} subwords, "
        f"{total.characters:,} characters"
    )
    typer.echo(json.dumps(facts) if as_json else line, err=sentences)
