"""`seqtrans score --model`: a text by a language model."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import typer

from seqtrans.cli.streams import say
from seqtrans.errors import DataError
from seqtrans.text.lines import LineReport, open_input, read_lines, refuse_cut

if TYPE_CHECKING:
    from seqtrans.device import Compute
    from seqtrans.model.file import TrainedModel
    from seqtrans.perplexity import Reading

CHUNK = 256
"""Lines that are read together."""


def score_text(
    trained: TrainedModel, compute: Compute, texts: list[str], sentences: bool, alone: bool, as_json: bool
) -> None:
    """Print the perplexity of all texts together; with `sentences`, a line for each line on standard output."""
    from itertools import islice

    from seqtrans.perplexity import Reader, Reading

    reader = Reader(trained, compute, alone)
    total, count = Reading(0.0, 0, 0), 0
    for path in texts:
        with open_input(path) as (stream, name):
            report = LineReport(name)
            lines = read_lines(stream, report)
            while chunk := list(islice(lines, CHUNK)):
                refuse_cut(report)
                for reading in reader.read(chunk):
                    total, count = total + reading, count + 1
                    if sentences:
                        show_line(reading)
            for warning in report.warnings():
                say(f"warning: {warning}")
    if not count:
        raise DataError(f"{', '.join(texts)}: there are no lines")
    show(total, count, as_json, sentences)


def show_line(reading: Reading) -> None:
    """A line of the text on standard output."""
    typer.echo(f"{-reading.nats:.4f}\t{reading.subwords}\t{reading.perplexity:.2f}")


def show(total: Reading, lines: int, as_json: bool, aside: bool) -> None:
    """The sum over all lines, on standard error where it stands `aside`."""
    if total.unknown:
        say(
            f"warning: {total.unknown} of {total.subwords} subwords are unknown to the model, which cannot "
            "tell such apart: what it finds is too good; train it on text with these letters"
        )
    facts = {
        "perplexity": total.perplexity if math.isfinite(total.perplexity) else None,
        "nats_per_character": total.nats_per_character,
        "bits_per_character": total.bits_per_character,
        "log_probability": -total.nats,
        "subwords": total.subwords,
        "characters": total.characters,
        "unknown_subwords": total.unknown,
        "lines": lines,
    }
    line = (
        f"perplexity {total.perplexity:.3f} a subword, {total.nats_per_character:.4f} nats and "
        f"{total.bits_per_character:.4f} bits a character; {lines:,} lines, {total.subwords:,} subwords, "
        f"{total.characters:,} characters"
    )
    typer.echo(json.dumps(facts) if as_json else line, err=aside)
