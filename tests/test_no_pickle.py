"""Nothing that runs code while it loads data: no pickle, no torch.load, no unsafe YAML, no eval."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for folder in ("seqtrans", "data") for path in (ROOT / folder).rglob("*.py"))

MODULES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"}
CALLS = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {
    "torch": {"load", "save", "hub", "compile_from_string"},
    "yaml": {"load", "load_all", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all"},
    "np": {"load", "loads"},
    "numpy": {"load", "loads"},
    "os": {"system", "popen"},
}


def dangers(source: str) -> list[str]:
    """What a module does that it must not, as `line: what`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        what: str | None = ""
        if isinstance(node, ast.Import):
            what = next((a.name for a in node.names if a.name.split(".")[0] in MODULES), "")
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".")[0]
            banned = ATTRIBUTES.get(module, set())
            what = module if module in MODULES else next((a.name for a in node.names if a.name in banned), "")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            what = node.func.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            what = node.attr if node.attr in ATTRIBUTES.get(node.value.id, ()) else ""
        elif isinstance(node, ast.keyword):
            is_shell = node.arg == "shell" and not (isinstance(node.value, ast.Constant) and not node.value.value)
            what = node.arg if node.arg in ("allow_pickle", "weights_only") or is_shell else ""
        if what:
            found.append(f"{getattr(node, 'lineno', 0)}: {what}")
    return found


def test_no_module_runs_what_it_loads() -> None:
    assert len(FILES) > 40
    assert {path: lines for path in FILES if (lines := dangers(path.read_text("utf-8")))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import os, pickle as p",
        "from pickle import loads",
        "import torch\ntorch.load('f')",
        "import torch\nf = torch.load",
        "from torch import load",
        "import torch\ntorch.save({}, 'f')",
        "import yaml\nyaml.load(text)",
        "import numpy as np\nnp.load('f', allow_pickle=True)",
        "g('f', allow_pickle=True)",
        "eval('1')",
        "def f():\n    exec('1')",
        "import subprocess\nsubprocess.run('x', shell=True)",
        "import os\nos.system('x')",
    ],
)
def test_this_test_sees_what_is_dangerous(source: str) -> None:
    assert dangers(source)


@pytest.mark.parametrize(
    "source",
    ["model.eval()", "import yaml\nyaml.safe_load(t)", "import json\njson.load(f)", "run(x, shell=False)", "x.exec()"],
)
def test_this_test_lets_the_harmless_pass(source: str) -> None:
    assert not dangers(source)
