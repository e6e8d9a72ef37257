"""Families of classes, one file each: a new cell, attention or metric is one new file and no edit elsewhere."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil

from seqtrans.errors import UsageError


def names(package: str) -> list[str]:
    """The members of a family: the modules of `package`, with `-` for `_`. Imports none of them."""
    spec = importlib.util.find_spec(package)
    path = spec.submodule_search_locations if spec else None
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(path) if m.name != "base")


def load(package: str, kind: str, name: str) -> object:
    """The attribute `PLUGIN` of the module that has this name.

    Raises:
        UsageError: there is no such member; the message lists them.
    """
    known = names(package)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UsageError(f"unknown {kind} '{name}'; {hint}known: {', '.join(known)}")
    plugin: object = importlib.import_module(f"{package}.{name.replace('-', '_')}").PLUGIN
    return plugin
