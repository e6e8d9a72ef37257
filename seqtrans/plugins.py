"""Plugins: cells, attentions, output formats and metrics, one file each, in seqtrans or in another package.

Each kind of plugin has a package in seqtrans. A module there has the plugin's name and an attribute PLUGIN. Another
package names its plugins in its pyproject.toml, as entry points of the kind's group, such as `seqtrans.cells`:

    [project.entry-points."seqtrans.cells"]
    leaky = "my_package.leaky:Leaky"
"""

from __future__ import annotations

import difflib
import functools
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
"""The entry-point group of each kind's package."""


def builtin_names(package: str) -> list[str]:
    """The plugins that come with seqtrans: the modules of `package`, with `-` for `_`. Imports none of them."""
    spec = importlib.util.find_spec(package)
    path = spec.submodule_search_locations if spec else None
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(path) if m.name != "base")


@functools.cache  # a look into every installed package takes longer than to make a small network
def entry_points(package: str) -> dict[str, EntryPoint]:
    """The plugins that other packages bring, by name; of those that are installed when they are first asked for."""
    from importlib import metadata  # which is slow to import, and seldom needed

    return {entry.name: entry for entry in metadata.entry_points(group=GROUPS[package])}


def names(package: str) -> list[str]:
    """All plugins of a kind, those of other packages too. Imports none of them."""
    return sorted({*builtin_names(package), *entry_points(package)})


def load(package: str, kind: str, name: str, is_valid: Callable[[object], bool]) -> object:
    """The plugin of this name. Another package cannot replace one that comes with seqtrans.

    `kind` is for messages, such as "cell"; `is_valid` checks what comes from another package.

    Raises:
        UsageError: no plugin has this name; or that of another package cannot be imported, or is not valid.
    """
    if name in builtin_names(package):
        return getattr(importlib.import_module(f"{package}.{name.replace('-', '_')}"), "PLUGIN")  # noqa: B009
    entries = entry_points(package)
    if name not in entries:
        known = names(package)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UsageError(f"unknown {kind} '{name}'; {hint}known: {', '.join(known)}")
    entry = entries[name]
    try:
        plugin: object = entry.load()
    except Exception as error:  # whatever the other package does
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise UsageError(f"{kind} '{name}' of {entry.value} cannot be imported: {reason}") from None
    if not is_valid(plugin):
        raise UsageError(f"{kind} '{name}': {entry.value} is no {kind} of seqtrans")
    return plugin


def subclass_of(base: type) -> Callable[[object], bool]:
    """The check that a plugin is a class that inherits from `base`."""
    return lambda plugin: isinstance(plugin, type) and issubclass(plugin, base)
