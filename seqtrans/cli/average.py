"""`seqtrans average`: the mean of several models."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from seqtrans.cli.models import CellsOption, load
from seqtrans.cli.options import MODEL, OUTPUT
from seqtrans.errors import UsageError

_logger = logging.getLogger(__name__)


def average(
    models: Annotated[
        list[Path], typer.Argument(metavar="MODEL...", help="Two or more models.", rich_help_panel=MODEL)
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="The model file to write.", rich_help_panel=OUTPUT),
    ],
    cell: CellsOption = None,
) -> None:
    """Average the weights of models.

    The models must have the same architecture and the same subwords. The mean is useful for models of one training at
    different steps, or of trainings that started from the same model.

    Examples:
      seqtrans average step1000.safetensors step2000.safetensors -o mean.safetensors
    """
    if len(models) < 2:
        raise UsageError("average needs at least two models")
    if any(output.exists() and output.samefile(model) for model in models if model.exists()):
        raise UsageError(f"{output} is one of the models: give --output another name")

    from seqtrans.model.averaging import averaged
    from seqtrans.model.file import save_model

    save_model(output, averaged([(path, load(path, cell)) for path in models]))
    _logger.info(f"{output}: the mean of {len(models)} models")
