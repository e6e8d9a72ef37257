"""Recurrent cells, one file per cell.

Options may follow a cell's name: `rnn+relu`.
"""

from __future__ import annotations

import functools
from itertools import combinations
from typing import cast

from seqtrans import plugins
from seqtrans.errors import UsageError
from seqtrans.recurrent.cells.base import Cell


def cell_names() -> list[str]:
    """The names of all cells, without options."""
    return plugins.names(__name__)


def is_custom(name: str) -> bool:
    """Whether this names a user's cell, as FILE.py:CLASS."""
    return ":" in name


def variants(name: str) -> list[str]:
    """The cell `name` with each set of its options, as names."""
    options = find_cell(name).options
    subsets = (subset for count in range(len(options) + 1) for subset in combinations(options, count))
    return ["+".join([name, *subset]) for subset in subsets]


def find_cell(name: str) -> type[Cell]:
    """The class of the cell `name`, which is not a user's.

    Raises:
        UsageError: there is no such cell, it has no such option, or it is a user's (see `custom.load_cell`).
    """
    if is_custom(name):
        raise UsageError(f"cell '{name}' comes from a file that is not part of seqtrans; add --cell {name}")
    if name.endswith(".py"):
        raise UsageError(f"--cell {name}: which class of that file? Write {name}:CLASS")
    base, *chosen = name.split("+")
    return _with_options(base, frozenset(chosen))


@functools.cache
def _with_options(base: str, chosen: frozenset[str]) -> type[Cell]:
    kind = cast(
        type[Cell],
        plugins.load(__name__, "cell", base, plugins.subclass_of(Cell)),
    )
    for option in chosen:
        if option not in kind.options:
            known = f"option '{option}'; known: {', '.join(kind.options)}" if kind.options else "options"
            raise UsageError(f"cell '{base}' has no {known}")
    if not chosen:
        return kind
    return cast(type[Cell], type("+".join([kind.__name__, *sorted(chosen)]), (kind,), {"chosen": chosen}))
