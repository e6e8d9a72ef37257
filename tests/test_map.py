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
MOST_PARTS = 20
PACKAGE_FILE = "__init__"

Imports = Mapping[str, set[str]]
"""For each part the parts that it imports from."""


def module_files() -> dict[str, Path]:
    """Every module of the package by its full name."""
    files = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        names = list(path.relative_to(ROOT).with_suffix("").parts)
        files[".".join(names[:-1] if names[-1] == "__init__" else names)] = path
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


def part(module: str) -> str:
    """The folder or file at the package's first level; `__init__` for the package's own file."""
    return [*module.split("."), PACKAGE_FILE][1]


def part_imports() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {part(module): set() for module in FILES}
    for module, others in imports().items():
        found[part(module)] |= {part(other) for other in others} - {part(module)}
    return found


def levels(graph: Imports) -> dict[str, int]:
    """The level of each part: one above the highest that it imports from.

    Raises:
        ValueError: parts import from one another in a circle.
    """
    known: dict[str, int] = {}

    def level(name: str, path: tuple[str, ...]) -> int:
        if name in path:
            raise ValueError(f"a circle: {' -> '.join([*path[path.index(name) :], name])}")
        if name not in known:
            known[name] = 1 + max((level(other, (*path, name)) for other in sorted(graph[name])), default=0)
        return known[name]

    for name in graph:
        level(name, ())
    return known


def drawn() -> dict[str, int]:
    """The map of CONTRIBUTING."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## The map", 1)[1].split("\n## ", 1)[0]
    return {name: int(number) for number, name in re.findall(r"^level (\d+) +(\w+)", text, flags=re.MULTILINE)}


def test_the_map_is_what_the_imports_say() -> None:
    """Every import between parts goes down, for a circle has no levels."""
    assert levels(part_imports()) == drawn()


def test_there_are_few_parts() -> None:
    assert len(part_imports()) <= MOST_PARTS


def test_modules_import_what_exists_and_never_in_a_circle() -> None:
    graph = imports()
    assert {other for found in graph.values() for other in found} <= set(FILES)
    levels(graph)


def test_this_test_sees_imports_that_go_up_and_circles() -> None:
    assert levels({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": 3, "b": 2, "c": 1}
    with pytest.raises(ValueError, match="a -> b -> a"):
        levels({"a": {"b"}, "b": {"a"}})
    upward = {name: set(others) for name, others in part_imports().items()}
    upward["plot"].add("device")
    assert levels(upward) != drawn()
    upward["errors"].add("search")
    with pytest.raises(ValueError, match="circle"):
        levels(upward)


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
