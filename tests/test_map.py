"""CONTRIBUTING's map of the package is what the imports say, imports go down only, and `--help` starts at once."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "seqtrans"
MOST_ROOMS = 20
FACADE = "__init__"

Arrows = Mapping[str, set[str]]
"""For each room the rooms that it imports from."""


def module_files() -> dict[str, Path]:
    """Every module of the package by its full name."""
    files = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


FILES = module_files()


def imported(source: str, module: str, known: set[str], is_package: bool) -> set[str]:
    """The modules of ours that a module names in an import, wherever the statement stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = module.split(".")[: None if is_package else -1]
            above = start[: len(start) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            submodules = {f"{base}.{alias.name}" for alias in node.names} & known
            # `from package import module` needs the module; only other names come from the package itself
            names = [*submodules, *([base] if len(submodules) < len(node.names) else [])]
        else:
            continue
        found |= {name for name in names if name.split(".")[0] == PACKAGE}
    return found


@cache
def imports() -> dict[str, set[str]]:
    return {
        module: imported(path.read_text("utf-8"), module, set(FILES), path.name == "__init__.py")
        for module, path in FILES.items()
    }


def room(module: str) -> str:
    """The folder or file at the package's first level; the package's own file is the facade."""
    return [*module.split("."), FACADE][1]


def arrows() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {room(module): set() for module in FILES}
    for module, others in imports().items():
        found[room(module)] |= {room(other) for other in others} - {room(module)}
    return found


def floors(graph: Arrows) -> dict[str, int]:
    """The floor of each room: one above the highest that it imports from.

    Raises:
        ValueError: rooms import from one another in a circle.
    """
    known: dict[str, int] = {}

    def floor(name: str, path: tuple[str, ...]) -> int:
        if name in path:
            raise ValueError(f"a circle: {' -> '.join([*path[path.index(name) :], name])}")
        if name not in known:
            known[name] = 1 + max((floor(other, (*path, name)) for other in sorted(graph[name])), default=0)
        return known[name]

    for name in graph:
        floor(name, ())
    return known


def drawn() -> dict[str, int]:
    """The map of CONTRIBUTING."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## The map", 1)[1].split("\n## ", 1)[0]
    return {name: int(number) for number, name in re.findall(r"^floor (\d+) +(\w+)", text, flags=re.MULTILINE)}


def test_the_map_is_what_the_imports_say() -> None:
    """Every import between rooms goes down, for a circle has no floors."""
    assert floors(arrows()) == drawn()


def test_there_are_few_rooms() -> None:
    assert len(arrows()) <= MOST_ROOMS


def test_modules_import_what_exists_and_never_in_a_circle() -> None:
    graph = imports()
    assert {other for found in graph.values() for other in found} <= set(FILES)
    floors(graph)


def test_this_test_sees_imports_that_go_up_and_circles() -> None:
    assert floors({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": 3, "b": 2, "c": 1}
    with pytest.raises(ValueError, match="a -> b -> a"):
        floors({"a": {"b"}, "b": {"a"}})
    upward = {name: set(others) for name, others in arrows().items()}
    upward["plot"].add("device")
    assert floors(upward) != drawn()
    upward["errors"].add("search")
    with pytest.raises(ValueError, match="circle"):
        floors(upward)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import seqtrans.io.lines", {"seqtrans.io.lines"}),
        ("from seqtrans.io import lines", {"seqtrans.io.lines"}),
        ("from seqtrans.io.lines import one_line", {"seqtrans.io.lines"}),
        ("from seqtrans import load", {"seqtrans"}),
        ("from .corpus import Ragged", {"seqtrans.text.corpus"}),
        ("from ..model import file", {"seqtrans.model.file"}),
        ("def f():\n    from seqtrans.model import file", {"seqtrans.model.file"}),
        ("import torch, os", set()),
    ],
)
def test_this_test_sees_every_kind_of_import(source: str, expected: set[str]) -> None:
    assert imported(source, "seqtrans.text.batches", set(FILES), False) == expected


HEAVY = ("torch", "sentencepiece", "sacrebleu", "numpy", "safetensors")


@pytest.mark.parametrize(
    "modules",
    [
        [name for name in FILES if name.startswith(f"{PACKAGE}.cli.")],
        ["seqtrans.config.schema", "seqtrans.randomness", "seqtrans.plugins"],
        ["seqtrans"],
    ],
    ids=["cli", "config", "package"],
)
def test_what_starts_first_needs_no_heavy_library(modules: list[str]) -> None:
    """So that `--help` of every command answers at once."""
    code = f"import sys, {', '.join(modules)}\nprint(*({set(HEAVY)!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    assert run.stdout.split() == []
