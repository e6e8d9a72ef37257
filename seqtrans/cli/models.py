"""How commands load a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqtrans.cli.options import MODEL

if TYPE_CHECKING:
    from seqtrans.model.trained import TrainedModel

CellOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE.py:CLASS",
        help="The model's cell, if the model was trained with a cell of your own.",
        rich_help_panel=MODEL,
    ),
]
CellsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--cell",
        metavar="FILE.py:CLASS...",
        help="The cells of models that were trained with cells of your own. Each model uses the class with its "
        "cell's name.",
        rich_help_panel=MODEL,
    ),
]


def load(model: Path, cell: str | list[str] | None) -> TrainedModel:
    """Load a model. Of the user's code, only the file or files that `cell` names are run.

    Raises:
        UsageError: the model has a user's cell that `cell` does not name, or that does not work.
        DataError: the file is not a model, or is damaged.
        StreamError: the file cannot be read.
    """
    from seqtrans.io.content import check_model

    check_model(model, "a model that `seqtrans train` has written")  # before torch is imported
    from seqtrans.api import load_trained

    return load_trained(model, [cell] if isinstance(cell, str) else cell or [])
