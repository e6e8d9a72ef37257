"""The parts of GUIDE.md that are made from the code, and data/settings.toml. `make guide` writes them anew."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer

from seqtrans.cli.app import app
from seqtrans.cli.options import HEADINGS, OTHER
from seqtrans.config.reference import presets_table, settings_table, settings_toml
from seqtrans.config.schema import ModelConfig, TextConfig, TrainingConfig
from seqtrans.search.options import SearchOptions

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "GUIDE.md"
SETTINGS = ROOT / "data" / "settings.toml"
SECTIONS: Mapping[str, type] = {
    "text": TextConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "search": SearchOptions,
}
_TITLES = {
    "text": "Text settings",
    "model": "Model settings",
    "training": "Training settings",
    "search": "Search settings",
}

_PLACEHOLDERS = {bool: "", int: "N", float: "X", Path: "FILE", str: "NAME"}


def settings() -> str:
    """All sections as tables, and the presets."""
    tables = [f"### {_TITLES[name]}\n\n{settings_table(section)}" for name, section in SECTIONS.items()]
    return "\n".join([*tables, f"### Presets\n\n{presets_table()}"])


def commands() -> str:
    """A table of the flags of each command."""
    return "\n".join(_command(name, function) for name, function in _functions("seqtrans", app))


def _functions(name: str, group: typer.Typer) -> Iterator[tuple[str, Callable[..., None]]]:
    """The function of each command, also of those in groups."""
    for command in group.registered_commands:
        if command.callback is not None:
            yield f"{name} {command.name or command.callback.__name__}", command.callback
    for below in group.registered_groups:
        if below.typer_instance is not None:
            yield from _functions(f"{name} {below.name}", below.typer_instance)


def _command(name: str, function: Callable[..., None]) -> str:
    """A table for each heading under which `--help` shows flags, in the same order."""
    purpose = _plain((inspect.getdoc(function) or "").partition("\n\n")[0])
    hints = get_type_hints(function, include_extras=True)
    panels: dict[str, list[str]] = {heading: [] for heading in HEADINGS}
    for key, parameter in inspect.signature(function).parameters.items():
        panel = get_args(hints[key])[1].rich_help_panel or OTHER
        panels[panel].append(_row(key, hints[key], parameter.default))
    tables = [
        "\n".join([f"| {panel} | meaning |", "|---|---|", *rows]) + "\n" for panel, rows in panels.items() if rows
    ]
    return "\n".join([f"### {name}\n\n{purpose}\n", *tables])


def _row(key: str, hint: Any, default: Any) -> str:
    """One row; `hint` is Annotated with what Typer is told."""
    kind, info = get_args(hint)
    value = info.metavar or _placeholder(kind)
    declared = (info.default, *(info.param_decls or ()))  # inside Annotated, the first name comes as the default
    names = [part for part in declared if isinstance(part, str) and part.startswith("-")]
    names = names or [f"--{key.replace('_', '-')}"]
    flag = ", ".join(f"`{name}`" for name in names) + (f" `{value}`" if value else "")
    if isinstance(info, typer.models.ArgumentInfo):
        flag = f"`{value}`"
    needed = " (required)" if default is inspect.Parameter.empty else ""
    return f"| {flag}{needed} | {_plain(info.help or '')}{_default(default, info.help or '')} |"


def _placeholder(kind: Any) -> str:
    """What stands for the value of a flag; nothing for one that has none."""
    parts = [part for part in get_args(kind) if part is not NoneType]
    if get_origin(kind) is Literal:
        return " or ".join(parts)
    if get_origin(kind) is list:
        return f"{_placeholder(parts[0])}..."
    return _placeholder(parts[0]) if parts else _PLACEHOLDERS[kind]


def _default(default: Any, help_text: str) -> str:
    """The default, unless the help tells it or nothing is a default."""
    if any(default is nothing for nothing in (inspect.Parameter.empty, None, False, "")) or "[default" in help_text:
        return ""
    return f" Default: `{default}`."


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("<", r"\<")


def guide(text: str) -> str:
    """The guide with its generated parts as the code says."""
    for name, new in (("settings", settings()), ("commands", commands())):
        start, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
        before, found, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"GUIDE.md needs a part between `{start.strip()}` and `{end}`")
        text = f"{before}{start}\n{new}\n{end}{after}"
    return text


def settings_file() -> str:
    """data/settings.toml."""
    head = (
        "# Every setting of seqtrans at its default, for `--config`. `make guide` writes this file from the code.\n\n"
    )
    return head + settings_toml(SECTIONS)


def main() -> int:
    """Write both files."""
    GUIDE.write_text(guide(GUIDE.read_text("utf-8")), "utf-8")
    SETTINGS.write_text(settings_file(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
