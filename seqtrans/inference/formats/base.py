"""The interface of an output format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seqtrans.inference.translation import Links, Translation


@dataclass(frozen=True)
class Format:
    """Writes the translations of a line. `PLUGIN` of a format's module is one."""

    write: Callable[[int, Translation], bytes]
    """A function from the number of a line, from 0, and its translations to complete lines of output."""
    has_lists: bool
    """Whether the output shows which translations belong to the same line."""


def pharaoh(links: Links) -> str:
    """An alignment as `source-target` pairs of positions from 0."""
    return " ".join(f"{source}-{target}" for source, target in sorted(links))
