"""Frozen dataclasses of settings <-> TOML, strict in both directions.

An unknown key, a wrong type or a value out of range is an error with a suggestion.
"""

from __future__ import annotations

import difflib
import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import field, fields, replace
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

from seqtrans.errors import StreamError, UsageError

Section = TypeVar("Section")
"""A frozen dataclass whose fields are settings."""

SECTIONS = ("text", "model", "training", "search")
"""The last is what a search reads, the others are for training; a file may hold them all."""
_VARIABLE = "SEQTRANS_"

_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text in quotes"}


def bounded(default: Any, low: float, high: float = math.inf) -> Any:
    """A field for numbers from `low` to `high`."""
    return field(default=default, metadata={"low": low, "high": high})


def one_of(default: str, *choices: str) -> Any:
    """A field for one of the names."""
    return field(default=default, metadata={"choices": choices})


def no_setting(default: Any) -> Any:
    """A field that the program decides."""
    return field(default=default, metadata={"program": True})


def updated_section(section: Section, name: str, keys: Any, where: str) -> Section:
    """A copy with the `keys` of a mapping; `where` names their source in error messages.

    Raises:
        UsageError: no mapping, an unknown key, a wrong type, or a value out of range.
    """
    (updated,) = updated_sections([section], name, keys, where)
    return cast(Section, updated)


def updated_sections(sections: Sequence[Any], name: str, keys: Any, where: str) -> list[Any]:
    """The same of several dataclasses that are one section to the user. Fields that are no settings are unknown."""
    if not isinstance(keys, Mapping):
        raise UsageError(f"{where}: '{name}' must be a section: write [{name}]")
    hints = [_settings_of(section) for section in sections]
    every = [key for kinds in hints for key in kinds]
    for key in keys:
        known(key, every, where, f"key in [{name}]")
    return [
        replace(section, **{k: _checked(section, k, kinds[k], value, where) for k, value in keys.items() if k in kinds})
        for section, kinds in zip(sections, hints, strict=True)
    ]


def _settings_of(section: Any) -> dict[str, type]:
    """The names and types of what a user may set."""
    hints = get_type_hints(type(section))
    names = [f.name for f in fields(section) if hints[f.name] in _KINDS and not f.metadata.get("program")]
    return {name: hints[name] for name in names}


def known(name: str, names: Sequence[str], where: str, kind: str) -> str:
    """The name, if it is one of `names`.

    Raises:
        UsageError: it is not; with the nearest, if one is near.
    """
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"
    raise UsageError(f"{where}: unknown {kind} '{name}'; {hint}")


def _checked(section: Any, key: str, kind: type, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 2**1000 else math.inf
    if type(value) is not kind:
        raise UsageError(f"{where}: {key} must be {_KINDS[kind]}, not {value!r}")
    limits = next(f.metadata for f in fields(section) if f.name == key)
    if "low" in limits and not limits["low"] <= value <= limits["high"]:  # NaN fails both comparisons
        high = "" if limits["high"] == math.inf else f" and at most {limits['high']}"
        raise UsageError(f"{where}: {key} must be at least {limits['low']}{high}, not {value}")
    if "choices" in limits and value not in limits["choices"]:
        choices = ", ".join(repr(c) for c in limits["choices"] if c)
        raise UsageError(f"{where}: {key} must be one of {choices}, not {value!r}")
    return value


def read_toml(file: Path) -> dict[str, Any]:
    """The tables of a file.

    Raises:
        StreamError: it cannot be read.
        UsageError: it is not TOML.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise StreamError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file}: is not a TOML file in UTF-8") from None
    return parse_toml(text, str(file))


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """The tables of a text; `where` names it in error messages.

    Raises:
        UsageError: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also numbers of thousands of digits
        raise UsageError(f"{where}: is not TOML (where text stands in quotes): {error}") from None


def parse_value(text: str) -> Any:
    """A single value as it would stand in TOML; bare words are strings."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text


def from_environment(environment: Mapping[str, str] = os.environ) -> dict[str, dict[str, Any]]:
    """What variables such as SEQTRANS_TRAINING_BATCH_SIZE=32 say, by section; values as `parse_value` reads them.

    Raises:
        UsageError: there is no such section.
    """
    sections: dict[str, dict[str, Any]] = {}
    for name, text in environment.items():
        if name.startswith(_VARIABLE):
            section, _, key = name.removeprefix(_VARIABLE).lower().partition("_")
            sections.setdefault(known(section, SECTIONS, "environment", "section"), {})[key] = parse_value(text)
    return sections
