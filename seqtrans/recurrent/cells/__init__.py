"""One file a cell, and a user's cell from a file of theirs.

A cell's name may choose options of it: `rnn+relu`.
"""

from __future__ import annotations

import functools
from itertools import combinations
from typing import cast

from seqtrans import plugins
from seqtrans.errors import UsageError
from seqtrans.recurrent.cells.base import Cell

_given: dict[str, type[Cell]] = {}
"""A user's cells, by the name that models know them by."""


def cell_names() -> list[str]:
    """The cells there are."""
    return plugins.names(__name__)


def is_custom(name: str) -> bool:
    """Whether this names a user's cell, as FILE.py:CLASS."""
    return ":" in name


def adopt(name: str, kind: type[Cell]) -> None:
    """Let models use a user's cell."""
    _given[name] = kind


def variants(name: str) -> list[str]:
    """The cell `name` with every choice of its options."""
    options = find_cell(name).options
    chosen = (pick for count in range(len(options) + 1) for pick in combinations(options, count))
    return ["+".join([name, *pick]) for pick in chosen]


def find_cell(name: str) -> type[Cell]:
    """The class of the cell `name`.

    Raises:
        UsageError: there is no such cell, it has no such option, or it is a user's and was not given.
    """
    if is_custom(name):
        try:
            return _given[name.rpartition(":")[2]]
        except KeyError:
            raise UsageError(
                f"cell '{name}' comes from a file that is not part of seqtrans; add --cell {name}"
            ) from None
    if name.endswith(".py"):
        raise UsageError(f"--cell {name}: which class of that file? Write {name}:CLASS")
    base, *chosen = name.split("+")
    return _with_options(base, frozenset(chosen))


@functools.cache
def _with_options(base: str, chosen: frozenset[str]) -> type[Cell]:
    kind = cast(type[Cell], plugins.load(__name__, "cell", base))
    for option in chosen:
        if option not in kind.options:
            known = f"option '{option}'; known: {', '.join(kind.options)}" if kind.options else "options"
            raise UsageError(f"cell '{base}' has no {known}")
    if not chosen:
        return kind
    return cast(type[Cell], type("+".join([kind.__name__, *sorted(chosen)]), (kind,), {"chosen": chosen}))
