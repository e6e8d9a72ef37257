"""`seqtrans recall`: how long recurrent cells remember."""

from __future__ import annotations

import json
import logging
import math
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqtrans import plugins
from seqtrans.cli.charts import check_chart, write_chart
from seqtrans.cli.messages import live_line
from seqtrans.cli.options import MODEL, OUTPUT, TRAINING, completion
from seqtrans.plot.chart import Series, line_chart

if TYPE_CHECKING:
    from seqtrans.analysis.recall import Recall, RecallOptions

CELLS = ("rnn", "rnn-unclipped", "lstm", "gru")
DELAYS = (5, 10, 20, 40, 80)


def _cells() -> list[str]:
    names = plugins.names("seqtrans.recurrent.cells")
    return [*names, *(f"{name}-unclipped" for name in names)]


_logger = logging.getLogger(__name__)


def recall(
    cells: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME...",
            help="Cells, by name or as FILE.py:CLASS. NAME-unclipped is the same cell, trained without clipping "
            f"gradients to norm 1. [default: {' '.join(CELLS)}]",
            rich_help_panel=MODEL,
            autocompletion=completion(_cells),
        ),
    ] = None,
    hidden: Annotated[int, typer.Option(metavar="N", help="State size of each cell.", rich_help_panel=MODEL)] = 64,
    delays: Annotated[
        list[int] | None,
        typer.Option(
            metavar="STEPS...",
            help="Steps between the symbols and their recall; a training for each cell and delay. "
            f"[default: {' '.join(map(str, DELAYS))}]",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", help="Updates of each training.", rich_help_panel=TRAINING)] = 1200,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.", rich_help_panel=TRAINING)] = 1,
    chart: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg", help="Also draw percent recalled by delay, as a chart.", rich_help_panel=OUTPUT
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Measure how long recurrent cells remember.

    Trains new cells to repeat three symbols after a delay (and shorter delays), and prints the percentage of symbols
    that they recall; chance is 12.5 percent. With the default settings, this takes about three minutes.

    The last two columns say how much of the gradient reaches the first step at the longest delay, before and after
    training: ||dL/dh_1|| / ||dL/dh_T||, where L is -log p of the last symbol.

    Examples:
      seqtrans recall --chart recall.svg
      seqtrans recall --cells gru gru-unclipped leaky.py:Leaky --delays 20 40
    """
    names = list(dict.fromkeys(cells or CELLS))
    if chart is not None:
        check_chart(chart, [Path(name.partition(":")[0]) for name in names])

    from seqtrans.analysis.recall import Learner, RecallOptions, learn_to_recall

    options = RecallOptions(sorted(set(delays or DELAYS)), steps, hidden, seed)
    learners = [Learner.parse(name) for name in names]
    recalls: dict[str, list[Recall]] = {}
    with live_line() as update:
        for learner, delay in product(learners, options.delays):
            label = f"{learner.name}, delay {delay}"

            def show(number: int, label: str = label) -> None:
                if update is not None:
                    update(f"{label}: update {number:,} of {steps:,}")

            recall = learn_to_recall(learner, delay, options, show)
            recalls.setdefault(learner.name, []).append(recall)
            skipped = f"; {recall.skipped} updates left out: not finite" if recall.skipped else ""
            _logger.info(f"{label}: {recall.recalled:.1f}% recalled{skipped}")
    typer.echo(_json(options, recalls) if as_json else _table(recalls))
    if chart is not None:
        write_chart(chart, _chart(recalls))


def _table(recalls: dict[str, list[Recall]]) -> str:
    """A row for each cell: percent recalled after each delay, and the two ratios of gradients."""
    width = max(len("delay"), *map(len, recalls))
    delays = [result.delay for result in next(iter(recalls.values()))]
    rows = [f"{'delay':<{width}}" + "".join(f"  {delay:>6}" for delay in delays) + "  gradient fresh  trained"]
    for name, results in recalls.items():
        longest = results[-1]
        recalled = "".join(f"  {result.recalled:>5.1f}%" for result in results)
        rows.append(f"{name:<{width}}{recalled}  {longest.gradient_fresh:>14.1e}  {longest.gradient_trained:>7.1e}")
    return "\n".join(rows)


def _json(options: RecallOptions, recalls: dict[str, list[Recall]]) -> str:
    from seqtrans.analysis.recall import CHANCE, CLIP_NORM

    results = [
        {
            "cell": result.learner.cell,
            "clip_norm": CLIP_NORM if result.learner.clipped else 0,
            "delay": result.delay,
            "recalled": result.recalled,
            "gradient_fresh": _number(result.gradient_fresh),
            "gradient_trained": _number(result.gradient_trained),
            "skipped": result.skipped,
        }
        for results in recalls.values()
        for result in results
    ]
    return json.dumps(
        {"steps": options.steps, "hidden": options.hidden, "seed": options.seed, "chance": CHANCE, "results": results}
    )


def _number(value: float) -> float | None:
    """The value, or None if JSON cannot hold it: gradients of a cell without clipping can be infinite."""
    return value if math.isfinite(value) else None


def _chart(recalls: dict[str, list[Recall]]) -> str:
    from seqtrans.analysis.recall import CHANCE

    lines = [Series(name, [(result.delay, result.recalled) for result in results]) for name, results in recalls.items()]
    delays = [result.delay for results in recalls.values() for result in results]
    chance = Series("chance", [(delay, CHANCE) for delay in sorted(set(delays))])
    return line_chart(
        "What a cell recalls after a delay", "delay, in steps", "percent of symbols", [*lines, chance], from_zero=True
    )
