"""One file a cell."""

from __future__ import annotations

from typing import cast

from seqtrans import plugins
from seqtrans.recurrent.cells.base import Cell


def cell_names() -> list[str]:
    """The cells there are."""
    return plugins.names(__name__)


def find_cell(name: str) -> type[Cell]:
    """The class of the cell `name`.

    Raises:
        UsageError: there is no such cell.
    """
    return cast(type[Cell], plugins.load(__name__, "cell", name))
