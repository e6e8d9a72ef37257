"""Cells from a user's file: found, tried out, run by the kernel, or refused in a line."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from threading import Event, Thread

import pytest
import torch

from seqtrans.errors import StreamError, UsageError
from seqtrans.recurrent.cells import find_cell
from seqtrans.recurrent.custom import CustomCell, fitting_cell, load_cell
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
    loaded = load_cell(f"{path}:Leaky")
    assert loaded.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (loaded.name, loaded.class_name) == (f"{path}:Leaky", "Leaky")
    torch.default_generator.manual_seed(1)
    cell = loaded.kind(5, 6).double()
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
    kind = load_cell(f"{write(tmp_path, code)}:Scaled").kind
    torch.default_generator.manual_seed(1)
    cell = kind(5, 6).double()
    inputs, state = make_data(cell, 4, torch.float64)
    found, expected = (outputs_and_gradients(cell, run, inputs, state) for run in (cell.sequence, by_loop(cell)))
    assert_same(found, expected, 1e-12)
    assert expected["scale"] != 0


MIXING = """
class Mixing(Cell):
    gates = 1

    def step(self, projected, state):
        return (torch.softmax(projected + linear(state[0], self.recurrent), dim=1),)
"""


def test_a_cell_of_steps_alone_will_do(tmp_path: Path) -> None:
    assert load_cell(f"{write(tmp_path, MIXING)}:Mixing").kind.states == 1


def test_what_was_hashed_is_what_runs(tmp_path: Path) -> None:
    """From a pipe, who reads a second time gets something else."""
    path = tmp_path / "mine.py"
    os.mkfifo(path)
    versions = [(START + MIXING + f"    version = {number}\n").encode() for number in (1, 2)]

    loaded = Event()

    def send() -> None:
        path.write_bytes(versions[0])  # opened as soon as somebody reads
        loaded.wait(2)
        path.write_bytes(versions[1])

    sender = Thread(target=send)
    sender.start()
    cell = load_cell(f"{path}:Mixing")
    loaded.set()
    unread = path.read_bytes()
    sender.join()
    path.unlink()  # or a library that reads the source of all modules would wait here for ever
    assert (cell.kind.version, cell.digest) == (1, hashlib.sha256(versions[0]).hexdigest())  # type: ignore[attr-defined]
    assert unread == versions[1]


def test_nothing_is_written_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = write(tmp_path, LEAKY)
    load_cell(f"{path}:Leaky")
    assert list(tmp_path.iterdir()) == [path]


def test_two_files_of_one_name_may_each_have_a_cell_of_one_name(tmp_path: Path) -> None:
    """And each finds its own module again, as dataclasses must."""
    code = """
class Mine(GatedCell):
    gates = 1

    def combine(self, gates, state):
        return (torch.tanh(gates[0]) * sys.modules[__name__].FACTOR,)

import sys
FACTOR = """
    cells = []
    for folder, factor in (("a", 2.0), ("b", 3.0)):
        (tmp_path / folder).mkdir()
        cells.append(load_cell(f"{write(tmp_path / folder, f'{code}{factor}')}:Mine"))
    assert [cell.class_name for cell in cells] == ["Mine", "Mine"]
    projected = torch.randn(3, 6)
    for cell, factor in zip(cells, (2.0, 3.0), strict=True):
        mine = cell.kind(5, 6)
        (h,) = mine.step(projected, mine.initial_state(3))
        torch.testing.assert_close(h, torch.tanh(projected) * factor)


def test_a_file_that_fails_leaves_no_module_behind(tmp_path: Path) -> None:
    before = set(sys.modules)
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        load_cell(f"{write(tmp_path, '1 / 0')}:Mine")
    assert set(sys.modules) == before


def test_a_model_takes_the_cell_of_its_class_and_then_of_its_digest() -> None:
    kind = find_cell("gru")
    one, other = CustomCell(kind, "11", "a.py:Leaky"), CustomCell(kind, "22", "b.py:Leaky")
    third = CustomCell(kind, "33", "a.py:Third")
    assert fitting_cell("x.py:Leaky", "22", [one, third, other]) is other
    assert fitting_cell("x.py:Leaky", "11", [one, third, other]) is one
    assert fitting_cell("x.py:Third", "11", [one, third, other]) is third
    assert fitting_cell("x.py:Leaky", "33", [third, one]) is one  # the file has changed
    assert fitting_cell("x.py:Leaky", None, [one]) is one
    assert fitting_cell("x.py:Leaky", None, [one, one]) is one
    assert fitting_cell("x.py:Fourth", "11", [one, other]) is None
    assert fitting_cell("x.py:Leaky", "11", []) is None
    for digest in ("33", None):
        with pytest.raises(UsageError, match=r"could be a\.py:Leaky or b\.py:Leaky"):
            fitting_cell("x.py:Leaky", digest, [one, other, third])


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
            "`step` must return states of shapes [[2, 4]], the output h first, not [[2, 4], [2, 4]]",
        ),
        (
            "class Mine(GatedCell):\n    gates = 1\n    calls = 0\n    def combine(self, gates, state):\n"
            "        self.calls += 1\n        return (gates[0] / self.calls,)\n",
            "a sequence has other results than its steps",
        ),
        (
            "class Mine(GatedCell):\n    gates = 2\n    split_gates = 1\n    gated_gates = 1\n",
            "either gated_gates or split_gates",
        ),
    ],
)
def test_what_does_not_work_is_refused(tmp_path: Path, code: str, reason: str) -> None:
    with pytest.raises(UsageError) as error:
        load_cell(f"{write(tmp_path, code)}:Mine")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_names_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="cannot be read"):
        load_cell(f"{tmp_path / 'none.py'}:Mine")
    (tmp_path / "mine.txt").write_text(LEAKY)
    with pytest.raises(UsageError, match=r"must end in \.py"):
        load_cell(f"{tmp_path / 'mine.txt'}:Leaky")
    with pytest.raises(UsageError, match=r"named as FILE\.py:CLASS"):
        load_cell("mine.py")
    with pytest.raises(UsageError, match="which class of that file"):
        find_cell("mine.py")
    with pytest.raises(UsageError, match=r"add --cell mine\.py:NeverGiven"):
        find_cell("mine.py:NeverGiven")
