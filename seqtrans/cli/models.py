"""How commands load a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqtrans.cli.streams import say

if TYPE_CHECKING:
    from seqtrans.model.file import TrainedModel

CellOption = Annotated[
    str | None, typer.Option(help="FILE.py:CLASS of the model's cell, where that is not one of seqtrans.")
]


def load(model: Path, cell: str | None) -> TrainedModel:
    """A model; no code of a user's is run but that of `cell`.

    Raises:
        UsageError: the model has a cell of a user that `cell` does not name, or that does not work.
        DataError, StreamError: see `load_model`.
    """
    from seqtrans.model.file import CELL_DIGEST, load_model
    from seqtrans.recurrent.custom import adopt_cell

    if cell is None:
        return load_model(model)
    digest = adopt_cell(cell)
    trained = load_model(model)
    if trained.history.get("data", {}).get(CELL_DIGEST, digest) != digest:
        say(f"warning: {cell} has changed since {model} was trained")
    return trained
