"""`seqtrans average`: one model of several."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqtrans.cli.models import CellOption, load
from seqtrans.cli.streams import say
from seqtrans.errors import UsageError


def average(
    models: Annotated[list[Path], typer.Argument(metavar="MODEL...", help="Two or more models of one architecture.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model to write.")],
    cell: CellOption = None,
) -> None:
    """Average the weights of models.

    Of one architecture, with the same subwords: models kept from one training at different times, or trainings that
    began from the same model.
    """
    if len(models) < 2:
        raise UsageError("an average needs two models or more")
    if any(output.exists() and output.samefile(model) for model in models if model.exists()):
        raise UsageError(f"{output} is one of the models: give --output another name")

    from seqtrans.model.averaging import averaged
    from seqtrans.model.file import save_model

    save_model(output, averaged([(path, load(path, cell)) for path in models]))
    say(f"{output}: the mean of {len(models)} models")
