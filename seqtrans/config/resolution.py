"""The configuration of one training from all sources of settings.

Precedence: flags, then environment (SEQTRANS_SECTION_KEY), then the --config file, then the preset, then the defaults
of the dataclasses.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from seqtrans.config.binding import (
    SettingsConflict,
    check_name,
    checked_values,
    from_environment,
    parse_assignment,
    parse_toml,
    read_toml,
    setting_types,
)
from seqtrans.config.schema import SECTION_CLASSES, Config


def preset_names() -> list[str]:
    """The presets that come with the package."""
    folder = resources.files("seqtrans.config") / "presets"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_config(
    preset: str,
    file: Path | None,
    flags: Mapping[str, Mapping[str, Any]],
    environment: Mapping[str, str] = os.environ,
) -> Config:
    """The resolved configuration of one run.

    The values of each source are checked one by one. What they are together is checked once, in the result: a file
    may set the task, and a flag what this task needs. Variables of the environment that are no settings are warned of.

    Raises:
        UsageError: an unknown preset, key or value in another source, a wrong value in any, or settings that conflict.
        StreamError: the file cannot be read.
    """
    check_name(preset, preset_names(), "--preset", "preset")
    text = (resources.files("seqtrans.config") / "presets" / f"{preset}.toml").read_text(encoding="utf-8")
    sources: list[tuple[str, Mapping[str, Any]]] = [(f"preset {preset}", parse_toml(text, f"preset {preset}"))]
    if file is not None:
        sources.append((str(file), _without_search(read_toml(file))))
    known = {name: list(setting_types(section)) for name, section in SECTION_CLASSES.items()}
    sources += [("environment", from_environment(known, environment)), ("given settings", flags)]
    values: dict[str, dict[str, Any]] = {name: {} for name in SECTION_CLASSES}
    origins: dict[str, str] = {}
    for where, tables in sources:
        for name, keys in tables.items():
            section = SECTION_CLASSES[check_name(name, list(SECTION_CLASSES), where, "section")]
            checked = checked_values(section, name, keys, where)
            values[name] |= checked
            origins |= dict.fromkeys(checked, where)
    try:
        return Config(**{name: SECTION_CLASSES[name](**keys) for name, keys in values.items()})
    except SettingsConflict as error:
        raise error.with_origins(origins) from None


def sectioned(assignments: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Settings of a training, each given as KEY=VALUE or SECTION.KEY=VALUE, by section.

    Raises:
        UsageError: one has no value, or names no setting.
    """
    sections: dict[str, dict[str, Any]] = {}
    section_of = {key: name for name, section in SECTION_CLASSES.items() for key in setting_types(section)}
    for assignment in assignments:
        name, value = parse_assignment(assignment, "batch_size=32")
        section, _, key = name.rpartition(".")
        if not section:
            section = section_of[check_name(key, list(section_of), "--set", "setting")]
        check_name(section, list(SECTION_CLASSES), "--set", "section")
        sections.setdefault(section, {})[key] = value
    return sections


def _without_search(tables: dict[str, Any]) -> dict[str, Any]:
    """The sections of a training: all but [search]."""
    return {name: table for name, table in tables.items() if name != "search"}
