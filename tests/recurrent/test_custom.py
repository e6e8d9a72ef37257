"""Cells from a user's file: found, tried out, run by the kernel, or refused in a line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from seqtrans.errors import StreamError, UsageError
from seqtrans.recurrent.cells import find_cell
from seqtrans.recurrent.custom import adopt_cell
from tests.recurrent.running import assert_same, by_loop, make_data, outputs_and_gradients

START = """\
import torch
from torch import nn
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.products import linear
from seqtrans.recurrent.gated import GatedCell
"""
LEAKY = """
class Leaky(GatedCell):
    gates = 1

    def __init__(self, inputs, hidden):
        super().__init__(inputs, hidden)
        self.leak = nn.Parameter(torch.zeros(hidden))

    def combine(self, gates, state, leak):
        return (torch.lerp(state[0], torch.tanh(gates[0]), torch.sigmoid(leak)),)
"""


def write(folder: Path, code: str) -> Path:
    path = folder / "mine.py"
    path.write_text(START + code, "utf-8")
    return path


def test_a_cell_of_a_file_is_run_by_the_kernel(tmp_path: Path) -> None:
    path = write(tmp_path, LEAKY)
    assert adopt_cell(f"{path}:Leaky") == hashlib.sha256(path.read_bytes()).hexdigest()
    torch.manual_seed(1)
    cell = find_cell("elsewhere/mine.py:Leaky")(5, 6).double()
    inputs, state = make_data(cell, 7, torch.float64)
    found, expected = (outputs_and_gradients(cell, run, inputs, state) for run in (cell.sequence, by_loop(cell)))
    assert_same(found, expected, 1e-12)
    assert expected["leak"].abs().max() > 0


def test_constants_buffers_and_single_numbers_may_take_part(tmp_path: Path) -> None:
    code = """
class Scaled(GatedCell):
    gates = 1

    def __init__(self, inputs, hidden):
        super().__init__(inputs, hidden)
        self.scale = nn.Parameter(torch.tensor(0.7))
        self.register_buffer("mask", torch.arange(hidden) % 2)

    def combine(self, gates, state, scale):
        return (torch.tanh(gates[0]) * scale * self.mask + torch.tensor(0.5, dtype=gates[0].dtype) * state[0],)
"""
    name = f"{write(tmp_path, code)}:Scaled"
    adopt_cell(name)
    torch.manual_seed(1)
    cell = find_cell(name)(5, 6).double()
    inputs, state = make_data(cell, 4, torch.float64)
    found, expected = (outputs_and_gradients(cell, run, inputs, state) for run in (cell.sequence, by_loop(cell)))
    assert_same(found, expected, 1e-12)
    assert expected["scale"] != 0


def test_a_cell_of_steps_alone_will_do(tmp_path: Path) -> None:
    code = """
class Mixing(Cell):
    gates = 1

    def step(self, projected, state):
        return (torch.softmax(projected + linear(state[0], self.recurrent), dim=1),)
"""
    adopt_cell(f"{write(tmp_path, code)}:Mixing")
    assert find_cell("mine.py:Mixing").states == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("class Other:\n    pass\n", "has no class 'Mine' that is a seqtrans Cell"),
        ("Mine = 3\n", "has no class 'Mine' that is a seqtrans Cell"),
        ("import nothing_of_the_kind\n", "failed: ModuleNotFoundError"),
        ("class Mine(\n", "failed: SyntaxError"),
        (
            "class Mine(GatedCell):\n    gates = 1\n    def combine(self, gates, state):\n        return 1 / 0\n",
            "a step of it failed: ZeroDivisionError",
        ),
        (
            "class Mine(GatedCell):\n    gates = 1\n    def combine(self, gates, state):\n"
            "        return (gates[0], gates[0])\n",
            "of 1 states [2, 4] it makes [[2, 4], [2, 4]]",
        ),
        (
            "class Mine(GatedCell):\n    gates = 1\n    calls = 0\n    def combine(self, gates, state):\n"
            "        self.calls += 1\n        return (gates[0] / self.calls,)\n",
            "a sequence is not the same as its steps",
        ),
        (
            "class Mine(GatedCell):\n    gates = 2\n    apart = 1\n    late = 1\n",
            "either late or apart",
        ),
    ],
)
def test_what_does_not_work_is_refused(tmp_path: Path, code: str, reason: str) -> None:
    with pytest.raises(UsageError) as error:
        adopt_cell(f"{write(tmp_path, code)}:Mine")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_names_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="cannot be read"):
        adopt_cell(f"{tmp_path / 'none.py'}:Mine")
    (tmp_path / "mine.txt").write_text(LEAKY)
    with pytest.raises(UsageError, match=r"must end in \.py"):
        adopt_cell(f"{tmp_path / 'mine.txt'}:Leaky")
    with pytest.raises(UsageError, match=r"named as FILE\.py:CLASS"):
        adopt_cell("mine.py")
    with pytest.raises(UsageError, match="which class of that file"):
        find_cell("mine.py")
    with pytest.raises(UsageError, match=r"add --cell mine\.py:NeverGiven"):
        find_cell("mine.py:NeverGiven")
