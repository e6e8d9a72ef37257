"""The configuration of one training from its layers.

Precedence: flags, then environment (SEQTRANS_SECTION_KEY), then the --config file, then the preset, then the defaults
of the dataclasses.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from seqtrans.config.binding import (
    SettingsConflict,
    check_name,
    checked_values,
    from_environment,
    parse_toml,
    read_toml,
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

    Each layer's values are checked by themselves. What they are together is checked once, in the result: a file may
    set the task, and a flag what this task needs.

    Raises:
        UsageError: an unknown preset, key or value in any of the layers, or settings that conflict.
        StreamError: the file cannot be read.
    """
    check_name(preset, preset_names(), "--preset", "preset")
    text = (resources.files("seqtrans.config") / "presets" / f"{preset}.toml").read_text(encoding="utf-8")
    layers: list[tuple[str, Mapping[str, Any]]] = [(f"preset {preset}", parse_toml(text, f"preset {preset}"))]
    if file is not None:
        layers.append((str(file), _of_training(read_toml(file))))
    layers += [("environment", _of_training(from_environment(environment))), ("arguments", flags)]
    values: dict[str, dict[str, Any]] = {name: {} for name in SECTION_CLASSES}
    sources: dict[str, str] = {}
    for where, tables in layers:
        for name, keys in tables.items():
            section = SECTION_CLASSES[check_name(name, list(SECTION_CLASSES), where, "section")]
            checked = checked_values(section, name, keys, where)
            values[name] |= checked
            sources |= dict.fromkeys(checked, where)
    try:
        return Config(**{name: SECTION_CLASSES[name](**keys) for name, keys in values.items()})
    except SettingsConflict as error:
        origins = ", ".join(dict.fromkeys(sources[key] for key in error.keys if key in sources))
        raise SettingsConflict(f"{origins}: {error}" if origins else str(error), *error.keys) from None


def _of_training(tables: dict[str, Any]) -> dict[str, Any]:
    """Without the settings of a search."""
    return {name: table for name, table in tables.items() if name != "search"}
