"""The sources of a search's settings: the --config file, the environment, --set, flags; later ones override."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqtrans.config.binding import SECTIONS, check_name, from_environment, parse_assignment, read_toml, setting_types

if TYPE_CHECKING:
    from seqtrans.search.settings import SettingsSource

_OTHER_FLAGS = {"record": "--report"}
"""Flags whose names are not those of the settings."""


def background_settings(config: Path | None) -> list[SettingsSource]:
    """The [search] settings of a file, then those of the environment, which override them.

    Variables of the environment that are no settings are warned of.

    Raises:
        UsageError: the file is not TOML, or has an unknown section.
        StreamError: it cannot be read.
    """
    from seqtrans.search.options import SearchOptions

    sources: list[SettingsSource] = []
    if config is not None:
        tables = read_toml(config)
        for name in tables:
            check_name(name, SECTIONS, str(config), "section")
        sources.append((tables.get("search", {}), str(config)))
    known = {"search": list(setting_types(SearchOptions))}
    return [*sources, (from_environment(known).get("search", {}), "environment")]


def explicit_settings(settings: Sequence[str], flags: Mapping[str, Any]) -> list[SettingsSource]:
    """KEY=VALUE settings, then flags, which override them. A flag that is None or False was left out.

    Raises:
        UsageError: a setting is not KEY=VALUE.
    """
    sources: list[SettingsSource] = []
    for setting in settings:
        key, value = parse_assignment(setting, "word_reward=0.5")
        sources.append(({key: value}, "--set"))
    used = {key: value for key, value in flags.items() if value is not None and value is not False}
    names = {key: _OTHER_FLAGS.get(key, f"--{key.replace('_', '-')}") for key in used}
    return sources + [({key: value}, names[key]) for key, value in used.items()]
