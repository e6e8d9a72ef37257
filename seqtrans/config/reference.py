"""The reference of all settings, made from the dataclasses: a Markdown table for GUIDE.md and a TOML file.

What a setting means is the docstring after its field. The rest is the field's type, default and metadata.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from importlib import resources
from itertools import pairwise
from typing import Any

from seqtrans.config.binding import setting_types
from seqtrans.config.resolution import preset_names

_LINE = 100
"""Columns of a comment in the TOML file."""


@dataclass(frozen=True)
class Setting:
    """One key of a section, as a reader needs it."""

    name: str
    kind: type
    """bool, int, float or str."""
    default: Any
    """None where a program decides until the user does."""
    limits: Mapping[str, Any]
    """The metadata of its field: `low`, `high`, `multiple` or `choices`."""
    meaning: str
    """In one paragraph; empty where the field has no docstring."""

    @property
    def default_toml(self) -> str:
        """The default as TOML; empty where there is none."""
        if self.default is None:
            return ""
        return str(self.default).lower() if self.kind is bool else _quoted(self.default)

    @property
    def range(self) -> str:
        """The values that it may have, in words."""
        if "choices" in self.limits:
            return ", ".join(_quoted(choice) for choice in self.limits["choices"])
        if "low" not in self.limits:
            return {bool: "true, false", str: "text", int: "whole number", float: "number"}[self.kind]
        low, high = _number(self.limits["low"]), _number(self.limits["high"])
        bounds = f"at least {low}" if high == "inf" else f"{low} to {high}"
        multiple = self.limits.get("multiple", 1)
        return bounds if multiple == 1 else f"{bounds}, a multiple of {multiple}"


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def settings_of(section: type) -> list[Setting]:
    """The settings of a section, in the order of the dataclass's fields."""
    meanings = _attribute_docstrings(section)
    by_name = {field.name: field for field in fields(section)}
    return [
        Setting(name, kind, _default(by_name[name]), by_name[name].metadata, meanings.get(name, ""))
        for name, kind in setting_types(section).items()
    ]


def _default(field: Any) -> Any:
    return None if field.default is MISSING else field.default


def _attribute_docstrings(section: type) -> dict[str, str]:
    """The string after each field of a class, its lines joined."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(section))).body
    assert isinstance(definition, ast.ClassDef)
    meanings = {}
    for before, after in pairwise(definition.body):
        if not (isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            meanings[before.target.id] = " ".join(str(after.value.value).split())
    return meanings


def settings_table(section: type) -> str:
    """A Markdown table: key, default, range, meaning."""
    rows = ["| key | default | range | meaning |", "|---|---|---|---|"]
    for setting in settings_of(section):
        default = f"`{setting.default_toml}`" if setting.default_toml else "not set"
        choices = ", ".join(f"`{_quoted(choice)}`" for choice in setting.limits.get("choices", ()))
        rows.append(f"| `{setting.name}` | {default} | {choices or setting.range} | {_cell(setting.meaning)} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    """Text that may stand in a table."""
    return text.replace("|", r"\|")


def settings_toml(sections: Mapping[str, type]) -> str:
    """A TOML file with every key at its default, and its meaning and range as a comment. `sections` by name."""
    parts = []
    for name, section in sections.items():
        lines = [*_comment(_first_line(section)), f"[{name}]"]
        for setting in settings_of(section):
            lines += ["", *_comment(setting.meaning), *_comment(f"{setting.range}")]
            lines.append(f"{setting.name} = {setting.default_toml}" if setting.default_toml else f"# {setting.name} =")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _first_line(section: type) -> str:
    return " ".join((inspect.getdoc(section) or "").split("\n\n")[0].split())


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _LINE, initial_indent="# ", subsequent_indent="# ", break_long_words=False)


def presets_table() -> str:
    """A Markdown table of the presets: what each is for, and what it sets."""
    rows = ["| preset | for | sets |", "|---|---|---|"]
    for name in preset_names():
        text = (resources.files("seqtrans.config") / "presets" / f"{name}.toml").read_text(encoding="utf-8")
        purpose = text.partition("\n")[0].removeprefix("# ")
        rows.append(f"| `{name}` | {_cell(purpose)} | {_assignments(tomllib.loads(text))} |")
    return "\n".join(rows) + "\n"


def _assignments(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Every key of every section, as `key = value`."""
    texts: Sequence[str] = [
        f"`{key} = {str(value).lower() if isinstance(value, bool) else _quoted(value)}`"
        for keys in tables.values()
        for key, value in keys.items()
    ]
    return ", ".join(texts)
