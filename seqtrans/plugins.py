"""Families of classes: a new cell, attention, output format or metric is one new file, here or in another package.

A module of the family's package has the member's name and an attribute PLUGIN. Another package names its members as
entry points of the family's group, such as `seqtrans.cells`, in its pyproject.toml:

    [project.entry-points."seqtrans.cells"]
    leaky = "my_package.leaky:Leaky"
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUPS = {
    "seqtrans.recurrent.cells": "seqtrans.cells",
    "seqtrans.model.attention": "seqtrans.attentions",
    "seqtrans.inference.formats": "seqtrans.formats",
    "seqtrans.scoring.metrics": "seqtrans.metrics",
}
"""The entry-point group of each family's package."""


def builtin_names(package: str) -> list[str]:
    """The members that come with seqtrans: the modules of `package`, with `-` for `_`. Imports none of them."""
    spec = importlib.util.find_spec(package)
    path = spec.submodule_search_locations if spec else None
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(path) if m.name != "base")


def names(package: str) -> list[str]:
    """All members of a family, those of other packages too. Imports none of them."""
    return sorted({*builtin_names(package), *_entry_points(package)})


def load(package: str, kind: str, name: str, is_member: Callable[[object], bool]) -> object:
    """The member of this name; one that comes with seqtrans cannot be replaced by another package.

    Raises:
        UsageError: there is no such member, and the message lists them; or that of another package cannot be imported,
            or is not what `is_member` expects.
    """
    if name in builtin_names(package):
        return getattr(importlib.import_module(f"{package}.{name.replace('-', '_')}"), "PLUGIN")  # noqa: B009
    entries = _entry_points(package)
    if name not in entries:
        known = names(package)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UsageError(f"unknown {kind} '{name}'; {hint}known: {', '.join(known)}")
    entry = entries[name]
    try:
        member: object = entry.load()
    except Exception as error:  # whatever the other package does
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise UsageError(f"{kind} '{name}' of {entry.value} cannot be imported: {reason}") from None
    if not is_member(member):
        raise UsageError(f"{kind} '{name}': {entry.value} is no {kind} of seqtrans")
    return member


def subclass_of(base: type) -> Callable[[object], bool]:
    """Whether a member is a class that inherits from `base`."""
    return lambda member: isinstance(member, type) and issubclass(member, base)


def _entry_points(package: str) -> dict[str, EntryPoint]:
    """The members that other packages bring, by name."""
    from importlib.metadata import entry_points  # which is slow to import, and seldom needed

    return {entry.name: entry for entry in entry_points(group=GROUPS[package])}
