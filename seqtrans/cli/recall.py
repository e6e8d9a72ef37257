"""`seqtrans recall`: what recurrent cells can remember."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqtrans.chart import Series, line_chart
from seqtrans.cli.charts import check_chart, write_chart
from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from seqtrans.recall import Recall, Settings

CELLS = ("rnn", "rnn-unclipped", "lstm", "gru")
DELAYS = (5, 10, 20, 40, 80)

Tell = Callable[[str], None]


def recall(
    cells: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME...",
            help="Cells; one of your own as FILE.py:CLASS. With -unclipped after its name, a cell's gradients are not "
            f"scaled down to norm 1. [default: {' '.join(CELLS)}]",
        ),
    ] = None,
    delays: Annotated[
        list[int] | None,
        typer.Option(
            metavar="STEPS...",
            help=f"Steps between what is shown and its recall. [default: {' '.join(map(str, DELAYS))}]",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(help="Updates of each training.")] = 1200,
    hidden: Annotated[int, typer.Option(help="Units of each cell.")] = 64,
    seed: Annotated[int, typer.Option(help="Where the randomness comes from.")] = 1,
    chart: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw what is recalled into a file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what recurrent cells can remember, and how long.

    Trains fresh cells to give three symbols back after a delay, and prints how many of them they recall.

    A training for each cell and delay, with delays up to this one; chance is 12.5 percent. Beside it stands how much
    of the gradient arrives at the first of the longest delay's steps, before and after training: ||dL/dh_1|| /
    ||dL/dh_T||, where L is -log p of the last symbol. Three minutes at the defaults; the same seed recalls the same.
    """
    names = list(dict.fromkeys(cells or CELLS))
    spans = sorted(set(delays or DELAYS))
    if not 1 <= spans[0] <= spans[-1] <= 1_000:
        raise UsageError(f"--delays must be between 1 and 1000, not {spans[0] if spans[0] < 1 else spans[-1]}")
    if steps < 1:
        raise UsageError(f"--steps must be at least 1, not {steps}")
    if not 1 <= hidden <= 1024:
        raise UsageError(f"--hidden must be between 1 and 1024, not {hidden}")
    if not 0 <= seed < 2**63:
        raise UsageError(f"--seed must be between 0 and 2^63 - 1, not {seed}")
    if chart is not None:
        check_chart(chart, [Path(name.partition(":")[0]) for name in names])

    from seqtrans.recall import Learner, Settings, learn_to_recall

    settings = Settings(steps, hidden, seed)
    learners = [Learner.parse(name) for name in names]
    found: dict[str, list[Recall]] = {}
    with _telling() as (update, say):
        for learner, delay in product(learners, spans):
            place = f"{learner.name}, delay {delay}"

            def tell(number: int, place: str = place) -> None:
                update(f"{place}: update {number:,} of {steps:,}")

            result = learn_to_recall(learner, delay, settings, tell)
            found.setdefault(learner.name, []).append(result)
            left_out = f"; {result.skipped} updates left out: not finite" if result.skipped else ""
            say(f"{place}: {result.recalled:.1f}% recalled{left_out}")
    typer.echo(_json(settings, found) if as_json else _table(found))
    if chart is not None:
        write_chart(chart, _chart(found))


@contextmanager
def _telling() -> Iterator[tuple[Tell, Tell]]:
    """What shows an update, in a terminal only, and what prints a line, both to stderr."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stderr, highlight=False, soft_wrap=True, emoji=False)

    def say(message: str) -> None:
        console.print(message, markup=False)

    if console.is_terminal and not console.is_dumb_terminal:
        with console.status("starting") as live:
            yield lambda message: live.update(Text(message)), say
    else:
        yield lambda message: None, say


def _table(found: dict[str, list[Recall]]) -> str:
    """A row a cell: percent recalled after each delay, and how much of the gradient arrives."""
    width = max(len("delay"), *map(len, found))
    delays = [result.delay for result in next(iter(found.values()))]
    rows = [f"{'delay':<{width}}" + "".join(f"  {delay:>6}" for delay in delays) + "  gradient fresh  trained"]
    for name, results in found.items():
        longest = results[-1]
        recalled = "".join(f"  {result.recalled:>5.1f}%" for result in results)
        rows.append(f"{name:<{width}}{recalled}  {longest.gradient_fresh:>14.1e}  {longest.gradient_trained:>7.1e}")
    return "\n".join(rows)


def _json(settings: Settings, found: dict[str, list[Recall]]) -> str:
    from seqtrans.recall import CHANCE, CLIP_NORM

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
        for results in found.values()
        for result in results
    ]
    return json.dumps({**vars(settings), "chance": CHANCE, "results": results})


def _number(value: float) -> float | None:
    """A number as JSON has them: a cell without clipping may well have left their range."""
    return value if math.isfinite(value) else None


def _chart(found: dict[str, list[Recall]]) -> str:
    from seqtrans.recall import CHANCE

    lines = [Series(name, [(result.delay, result.recalled) for result in results]) for name, results in found.items()]
    delays = [result.delay for results in found.values() for result in results]
    chance = Series("chance", [(delay, CHANCE) for delay in sorted(set(delays))])
    return line_chart("What a cell recalls after a delay", "delay, in steps", "percent of symbols", [*lines, chance])
