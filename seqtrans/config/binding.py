"""Settings from TOML, the environment and flags into frozen dataclasses.

An unknown key, a wrong type or a value out of range is an error.
A field carries its bounds or choices as metadata (`bounded`, `one_of`). `validate` checks them when an instance is
made, and `checked_values` when values arrive from a file, the environment or flags; then messages name that source.
"""

from __future__ import annotations

import difflib
import logging
import math
import os
import tomllib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import field, fields, replace
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from seqtrans.errors import StreamError, UsageError

_logger = logging.getLogger(__name__)

Section = TypeVar("Section")
"""A frozen dataclass whose fields are settings."""

SECTIONS = ("text", "model", "training", "search")
"""The sections of a settings file: a search reads the last one, a training the others; a file may hold them all."""
_VARIABLE = "SEQTRANS_"

_DESCRIPTIONS = {bool: "true or false", int: "a whole number", float: "a number", str: "text in quotes"}
"""The types that a setting can have, as error messages describe them."""


class SettingsConflict(UsageError):
    """Settings that are valid one by one, but not together."""

    def __init__(self, message: str, *keys: str) -> None:
        """`keys` names the settings that do not go together."""
        super().__init__(message)
        self.keys = keys

    def with_origins(self, origins: Mapping[str, str]) -> SettingsConflict:
        """The same conflict, its message preceded by the `origins` of its keys, such as a file's name."""
        names = ", ".join(dict.fromkeys(origins[key] for key in self.keys if key in origins))
        return SettingsConflict(f"{names}: {self}" if names else str(self), *self.keys)


def bounded(default: Any, low: float, high: float = math.inf, *, multiple: int = 1) -> Any:
    """A field for numbers from `low` to `high` that are multiples of `multiple`."""
    return field(default=default, metadata={"low": low, "high": high, "multiple": multiple})


def one_of(default: str, *choices: str) -> Any:
    """A field for one of the names."""
    return field(default=default, metadata={"choices": choices})


def validate(section: Any) -> None:
    """Check every field of a dataclass instance by its type and metadata; call it from `__post_init__`.

    A whole number in a field for floats becomes a float, so that equal settings are stored as equal bytes. A field
    of type `X | None` may be None. Fields of other types than bool, int, float and str are not checked.

    Raises:
        UsageError: a wrong type, or a value out of range.
    """
    for key, kind, optional in _field_types(cast(Hashable, type(section))):
        value = getattr(section, key)
        if value is None and optional:
            continue
        checked = _checked(type(section), key, kind, value, "")
        if checked is not value:
            object.__setattr__(section, key, checked)


def updated_section(section: Section, name: str, keys: Any, where: str) -> Section:
    """A copy with the `keys` of a mapping; `where` names their source in error messages.

    Raises:
        UsageError: no mapping, an unknown key, a wrong type, a value out of range, or settings that conflict.
    """
    values = checked_values(type(section), name, keys, where)
    try:
        return cast(Section, replace(cast(Any, section), **values))
    except SettingsConflict as error:
        raise error.with_origins(dict.fromkeys(error.keys, where)) from None


def checked_values(section: type, name: str, keys: Any, where: str) -> dict[str, Any]:
    """The `keys` of a mapping as values for the fields of a dataclass, each checked by itself.

    Raises:
        UsageError: no mapping, an unknown key, a wrong type, or a value out of range.
    """
    if not isinstance(keys, Mapping):
        raise UsageError(f"{where}: '{name}' must be a section: write [{name}]")
    kinds = setting_types(section)
    for key in keys:
        check_name(key, list(kinds), where, f"key in [{name}]")
    return {key: _checked(section, key, kinds[key], value, f"{where}: ") for key, value in keys.items()}


def setting_types(section: type) -> dict[str, type]:
    """The names and types of the settings of a dataclass."""
    return {key: kind for key, kind, _ in _field_types(cast(Hashable, section))}


@cache
def _field_types(section: Hashable) -> list[tuple[str, type, bool]]:
    """Name and type of each field that can be checked, and whether it may be None."""
    hints = get_type_hints(section)
    types = []
    for key in (f.name for f in fields(cast(Any, section))):
        alternatives = get_args(hints[key]) if get_origin(hints[key]) in (Union, UnionType) else (hints[key],)
        kinds = [kind for kind in alternatives if kind is not NoneType]
        if len(kinds) == 1 and kinds[0] in _DESCRIPTIONS:
            types.append((key, kinds[0], NoneType in alternatives))
    return types


def check_name(name: str, names: Sequence[str], where: str, kind: str) -> str:
    """The name, if it is one of `names`.

    Raises:
        UsageError: it is not; the message suggests the most similar name, or lists all.
    """
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"
    raise UsageError(f"{where}: unknown {kind} '{name}'; {hint}")


def _checked(section: type, key: str, kind: type, value: Any, prefix: str) -> Any:
    """The value, converted to the field's type where that loses nothing."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 2**1000 else math.inf
    if type(value) is not kind:
        raise UsageError(f"{prefix}{key} must be {_DESCRIPTIONS[kind]}, not {value!r}")
    limits = next(f.metadata for f in fields(section) if f.name == key)
    if "low" in limits and not limits["low"] <= value <= limits["high"]:  # NaN fails both comparisons
        high = "" if limits["high"] == math.inf else f" and at most {limits['high']}"
        raise UsageError(f"{prefix}{key} must be at least {limits['low']}{high}, not {value}")
    if limits.get("multiple", 1) != 1 and value % limits["multiple"]:
        raise UsageError(f"{prefix}{key} must be a multiple of {limits['multiple']}, not {value}")
    if "choices" in limits and value not in limits["choices"]:
        choices = ", ".join(repr(c) for c in limits["choices"] if c)
        raise UsageError(f"{prefix}{key} must be one of {choices}, not {value!r}")
    return value


def read_toml(file: Path) -> dict[str, Any]:
    """The tables of a file.

    Raises:
        StreamError: it cannot be read.
        UsageError: it is not TOML.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")  # a BOM, as Windows Notepad writes it, is left out
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
        raise UsageError(f"{where}: is not valid TOML (strings need quotes): {error}") from None


def parse_assignment(text: str, example: str) -> tuple[str, Any]:
    """The name and the value of a KEY=VALUE of --set; an error shows the `example`.

    Raises:
        UsageError: it has no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set takes KEY=VALUE, such as {example}, not '{text}'")
    return name, parse_value(value)


def parse_value(text: str) -> Any:
    """A single value as it would stand in TOML; bare words are strings."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text


def from_environment(
    known: Mapping[str, Sequence[str]], environment: Mapping[str, str] = os.environ
) -> dict[str, dict[str, Any]]:
    """The settings in variables such as SEQTRANS_TRAINING_BATCH_SIZE=32, by section; `parse_value` reads the values.

    `known` has the keys of the sections that are wanted; other sections are left out. A variable that is no setting may
    belong to another program: it is ignored, and one warning names all of them.
    """
    settings = {f"{section}_{key}".upper(): (section, key) for section, keys in known.items() for key in keys}
    others = tuple(f"{section}_".upper() for section in SECTIONS if section not in known)
    sections: dict[str, dict[str, Any]] = {}
    ignored: list[str] = []
    for variable in sorted(name for name in environment if name.startswith(_VARIABLE)):
        name = variable.removeprefix(_VARIABLE).upper()
        if name in settings:
            section, key = settings[name]
            sections.setdefault(section, {})[key] = parse_value(environment[variable])
        elif not name.startswith(others):
            near = difflib.get_close_matches(name, settings, n=1, cutoff=0.65)
            ignored.append(f"{variable} (did you mean {_VARIABLE}{near[0]}?)" if near else variable)
    if ignored:
        _logger.warning(f"environment: no setting of this command, ignored: {', '.join(ignored)}")
    return sections
