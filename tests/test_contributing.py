"""CONTRIBUTING's ways through the code name files and functions that exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.conftest import ROOT


def steps() -> list[tuple[str, str]]:
    """File and function of each row of the two tables."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    return re.findall(r"^\|[^|]*\| `([\w/]+\.py)` \| `([\w.]+)` \|$", text, flags=re.MULTILINE)


def defined(source: str) -> set[str]:
    """The functions and methods of a module, methods as `Class.method`."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)}
    return names


def test_both_ways_are_there() -> None:
    names = [name for _, name in steps()]
    assert names[0] == "translate"
    assert "train" in names
    assert len(names) > 20


@pytest.mark.parametrize(("path", "name"), steps(), ids=lambda value: value.rpartition("/")[2])
def test_a_step_names_a_function_that_exists(path: str, name: str) -> None:
    assert name in defined((ROOT / "seqtrans" / path).read_text("utf-8"))
