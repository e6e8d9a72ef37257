"""The house has floors, and imports go down only; the command line starts without the heavy libraries."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "seqtrans"

# From the top. What stands on one floor is side by side, and knows nothing of its neighbours ...
FLOORS = [
    {"__main__"},
    {"cli", "report"},
    {
        "training",
        "formats",
        "search_report",
        "alignment",
        "translation",
        "tagging",
        "perplexity",
        "forcing",
        "rescoring",
        "workers",
        "consensus",
        "generation",
        "gradients",
        "recall",
        "scoring",
    },
    {"search"},
    {"model"},
    {"recurrent", "text"},
    {"chart", "ticks", "settings", "config", "tasks", "device", "plugins", "randomness", "errors", ""},
]
# ... but for these
NEIGHBOURS = {
    ("chart", "ticks"),
    ("training", "tagging"),
    ("tagging", "translation"),
    ("training", "scoring"),
    ("gradients", "translation"),
    ("forcing", "perplexity"),
    ("rescoring", "forcing"),
    ("translation", "alignment"),
    ("translation", "consensus"),
    ("formats", "alignment"),
    ("recall", "training"),
    ("formats", "translation"),
    ("search_report", "translation"),
    ("config", "errors"),
    ("config", "settings"),
    ("settings", "errors"),
    ("config", "tasks"),
    ("device", "errors"),
    ("plugins", "errors"),
}


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


def imports() -> dict[str, set[str]]:
    return {
        module: imported(path.read_text("utf-8"), module, set(FILES), path.name == "__init__.py")
        for module, path in FILES.items()
    }


def room(module: str) -> str:
    """The part of the house: the name below the package."""
    return [*module.split("."), ""][1]


def floor(module: str) -> int:
    (found,) = [number for number, rooms in enumerate(FLOORS) if room(module) in rooms]
    return found


def allowed(module: str, other: str) -> bool:
    if room(module) == room(other) or (room(module), room(other)) in NEIGHBOURS:
        return True
    if room(other) == "":  # the package itself holds its version and nothing else
        return True
    return floor(module) < floor(other)


def test_every_module_has_its_floor() -> None:
    assert len(FILES) > 40
    rooms = set().union(*FLOORS)
    assert [module for module in FILES if room(module) not in rooms] == []


@pytest.mark.parametrize("module", FILES)
def test_imports_go_down_only(module: str) -> None:
    wrong = sorted(other for other in imports()[module] if not allowed(module, other))
    assert not wrong, f"{module} may not import {', '.join(wrong)}"


def test_what_is_imported_exists() -> None:
    assert {other for found in imports().values() for other in found} <= set(FILES)


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = imports()
    state: dict[str, str] = {}
    cycles: list[list[str]] = []

    def visit(module: str, path: list[str]) -> None:
        if state.get(module) == "open":
            cycles.append([*path[path.index(module) :], module])
        if module in state:
            return
        state[module] = "open"
        for other in sorted(graph.get(module, ())):
            visit(other, [*path, module])
        state[module] = "done"

    for module in graph:
        visit(module, [])
    assert not cycles


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import seqtrans.text.lines", {"seqtrans.text.lines"}),
        ("from seqtrans.text import lines", {"seqtrans.text.lines"}),
        ("from seqtrans.text.lines import one_line", {"seqtrans.text.lines"}),
        ("from seqtrans import __version__", {"seqtrans"}),
        ("from .lines import one_line", {"seqtrans.text.lines"}),
        ("from ..model import file", {"seqtrans.model.file"}),
        ("def f():\n    from seqtrans.model import file", {"seqtrans.model.file"}),
        ("import torch, os", set()),
    ],
)
def test_this_test_sees_every_kind_of_import(source: str, expected: set[str]) -> None:
    assert imported(source, "seqtrans.text.files", set(FILES), False) == expected


def test_this_test_would_see_an_import_that_goes_up() -> None:
    assert allowed("seqtrans.search.beam", "seqtrans.model.memory")
    assert allowed("seqtrans.training.validation", "seqtrans.tagging")
    assert not allowed("seqtrans.model.memory", "seqtrans.search.beam")
    assert not allowed("seqtrans.text.lines", "seqtrans.recurrent.layer")
    assert not allowed("seqtrans.translation", "seqtrans.training.loop")
    assert not allowed("seqtrans.scoring.bleu", "seqtrans.translation")
    assert not allowed("seqtrans.config", "seqtrans.plugins")


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    """So that `--help` of every command answers at once."""
    commands = ", ".join(name for name in FILES if name.startswith(f"{PACKAGE}.cli."))
    code = (
        f"import sys, {commands}\n"
        "print(*({'torch', 'sentencepiece', 'sacrebleu', 'numpy', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert done.stdout.split() == []


def test_configuration_and_errors_need_no_heavy_library_either() -> None:
    code = "import sys, seqtrans.config, seqtrans.randomness, seqtrans.plugins; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=True)
