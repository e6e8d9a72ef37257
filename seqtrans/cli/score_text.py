"""`seqtrans score --model` with a language model: the perplexity of a text."""

from __future__ import annotations

import json
import logging
import math
from typing import TYPE_CHECKING

import typer

from seqtrans.errors import DataError
from seqtrans.io.line_report import LineReport
from seqtrans.io.lines import open_input, read_lines

if TYPE_CHECKING:
    from seqtrans.device import Compute
    from seqtrans.inference.perplexity import Likelihood
    from seqtrans.model.trained import TrainedModel

LINES_AT_ONCE = 256
"""Lines that are read and scored together."""

_logger = logging.getLogger(__name__)


def score_text(
    trained: TrainedModel, compute: Compute, texts: list[str], sentences: bool, alone: bool, as_json: bool
) -> None:
    """Print the perplexity over all texts; with `sentences`, a line for each line of text before it.

    Raises:
        UsageError: the model is not a language model.
        DataError: the texts have no lines, or one that is too long to be read whole, or a text has a `TextForm`.
        StreamError: a file cannot be read.
    """
    from itertools import islice

    from seqtrans.inference.perplexity import Likelihood, TextScorer
    from seqtrans.text.unknown import count_unknown

    scorer = TextScorer(trained, compute, alone)
    total, count = Likelihood(0.0, 0, 0), 0
    for path in texts:
        with open_input(path) as (stream, name):
            report = LineReport(name)
            lines = read_lines(stream, report)
            first = 1
            while chunk := list(islice(lines, LINES_AT_ONCE)):
                report.refuse_long_lines()
                report.refuse_form()
                count_unknown(report, trained.target_subwords, chunk, first)
                first += len(chunk)
                for likelihood in scorer.score(chunk):
                    total, count = total + likelihood, count + 1
                    if sentences:
                        show_line(likelihood)
            report.log_warnings()
    if not count:
        raise DataError(f"{', '.join(texts)}: there are no lines")
    show(total, count, as_json, sentences)


def show_line(likelihood: Likelihood) -> None:
    """Print log-probability (nats), number of subwords and perplexity of one line."""
    from seqtrans.inference.translation import SCORE_DECIMALS

    typer.echo(f"{-likelihood.nats:.{SCORE_DECIMALS}f}\t{likelihood.subwords}\t{likelihood.perplexity:.2f}")


def show(total: Likelihood, lines: int, as_json: bool, to_stderr: bool) -> None:
    """Print the perplexity over all lines, as text or JSON."""
    if total.unknown:
        _logger.warning(
            f"{total.unknown} of {total.subwords} subwords are unknown to the model and share one probability: "
            "the perplexity is too low; train the model on text with these characters"
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
        f"{total.bits_per_character:.4f} bits per character; {lines:,} lines, {total.subwords:,} subwords, "
        f"{total.characters:,} characters"
    )
    typer.echo(json.dumps(facts) if as_json else line, err=to_stderr)
