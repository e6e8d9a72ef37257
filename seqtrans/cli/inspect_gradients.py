"""`seqtrans inspect --gradients`: the norm of a model's gradients by distance, on a text."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from seqtrans.cli.charts import check_chart, write_chart
from seqtrans.cli.models import load
from seqtrans.io.line_report import LineReport
from seqtrans.io.lines import open_input, read_lines
from seqtrans.plot.chart import Series, line_chart

if TYPE_CHECKING:
    from seqtrans.analysis.gradients import Profile

_logger = logging.getLogger(__name__)


def inspect_gradients(model: Path, cell: str | None, chart: Path | None, as_json: bool) -> None:
    """Print ||dL_T/dh_t|| for each distance T - t and each layer, as a mean over the lines of standard input.

    Raises:
        UsageError: the chart is standard output or the model, or the model's cell is missing.
        DataError: the model or the text cannot be used.
        StreamError: a file cannot be read or written.
    """
    from itertools import islice

    from seqtrans.analysis.gradients import LINES_AT_ONCE, GradientMeter

    if chart is not None:
        check_chart(chart, [model])
    meter = GradientMeter(load(model, cell))
    with open_input("-") as (stream, name):
        report = LineReport(name)
        lines = read_lines(stream, report)
        number = 1
        while chunk := list(islice(lines, LINES_AT_ONCE)):
            meter.add(chunk, report, number)
            number += len(chunk)
    profile = meter.profile(name)
    report.log_warnings()
    if profile.blank:
        _logger.warning(f"{name}: {profile.blank} line(s) left out that are blank, or blank on one side")
    typer.echo(_json(model, profile) if as_json else _table(profile))
    if chart is not None:
        write_chart(chart, _chart(model, profile))


def _table(profile: Profile) -> str:
    names = [f"layer {layer}" for layer in range(1, len(profile.norms_LD) + 1)]
    rows = [f"{'distance':>8}  {'lines':>8}" + "".join(f"  {name:>9}" for name in names)]
    for distance in profile.distances():
        norms = "".join(f"  {norm:>9.3e}" for norm in profile.norms_LD[:, distance])
        rows.append(f"{distance:>8}  {profile.lines_D[distance]:>8}{norms}")
    return "\n".join(rows)


def _json(model: Path, profile: Profile) -> str:
    return json.dumps(
        {
            "file": str(model),
            "lines": int(profile.lines_D[0]),
            "blank": profile.blank,
            "distances": [
                {"distance": distance, "lines": int(lines), "norms": norms.tolist()}
                for distance, (lines, norms) in enumerate(zip(profile.lines_D, profile.norms_LD.T, strict=True))
            ],
        }
    )


def _chart(model: Path, profile: Profile) -> str:
    return line_chart(
        f"{model.name}: what the last prediction's loss owes to each step",
        "steps before the last (T - t)",
        "‖dL_T / dh_t‖, mean over lines",
        [Series(f"layer {layer}", list(enumerate(norms.tolist()))) for layer, norms in enumerate(profile.norms_LD, 1)],
        log_y=True,
    )
