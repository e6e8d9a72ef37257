"""Cells from a user's own file."""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from seqtrans.errors import StreamError, UsageError
from seqtrans.recurrent.cells.base import Cell, State
from seqtrans.recurrent.seeding import seeded_weights

STEPS, BATCH, INPUTS, HIDDEN = 3, 2, 3, 4
"""Sizes in the trial that every user's cell has to pass."""


@dataclass(frozen=True)
class CustomCell:
    """A user's cell."""

    kind: type[Cell]
    digest: str
    """SHA-256 of the file."""
    name: str
    """FILE.py:CLASS."""

    @property
    def class_name(self) -> str:
        """What a model knows its cell by, since the file may have moved."""
        return _class_name(self.name)


def load_cell(name: str) -> CustomCell:
    """Run the file of 'FILE.py:CLASS', and check that its cell works.

    Raises:
        StreamError: the file cannot be read.
        UsageError: it cannot be run, has no such cell, or the cell does not work.
    """
    file, _, attribute = name.rpartition(":")
    if not file:
        raise UsageError(f"--cell {name}: a cell of yours is named as FILE.py:CLASS")
    path = Path(file)
    if path.suffix != ".py":
        raise UsageError(f"--cell {name}: {file} is not a Python file; its name must end in .py")
    try:
        code = path.read_bytes()
    except OSError as error:
        raise StreamError(f"--cell {name}: {file} cannot be read: {error.strerror}") from None
    try:
        module = _run(path, code)
    except Exception as error:  # whatever the user's code does
        raise UsageError(f"--cell {name}: running {file} failed: {_in_a_line(error)}") from None
    kind = getattr(module, attribute, None)
    if not (isinstance(kind, type) and issubclass(kind, Cell)):
        raise UsageError(f"--cell {name}: {file} has no class '{attribute}' that is a seqtrans Cell")
    _try_out(kind, name)
    return CustomCell(kind, hashlib.sha256(code).hexdigest(), name)


def fitting_cell(name: str, digest: str | None, cells: Sequence[CustomCell]) -> CustomCell | None:
    """The cell in `cells` for a model that was trained with the cell `name`, from a file with the digest `digest`.

    It is found by its class name and, if several have that, by the digest. None if no cell has that class name.

    Raises:
        UsageError: several have that class name, and the digest is that of none of them.
    """
    fitting = [cell for cell in cells if cell.class_name == _class_name(name)]
    same = [cell for cell in fitting if cell.digest == digest]
    if len({cell.digest for cell in fitting}) > 1 and not same:
        raise UsageError(
            f"cell '{name}' could be {' or '.join(cell.name for cell in fitting)}, which have all changed since the "
            "model was trained; give only one of them"
        )
    return next(iter([*same, *fitting]), None)


def _class_name(name: str) -> str:
    return name.rpartition(":")[2]


class _Code(importlib.abc.SourceLoader):
    """Loads code that has been read from a file already, and caches nothing beside the file."""

    def __init__(self, path: Path, code: bytes) -> None:
        self.path, self.code = path, code

    def get_filename(self, fullname: str) -> str:
        """The file, for tracebacks."""
        return str(self.path)

    def get_data(self, path: str | bytes) -> bytes:
        """The code."""
        return self.code


def _run(path: Path, code: bytes) -> ModuleType:
    """Run the code of a file as a module. The file is not read again, so the code that was hashed is what runs."""
    digest = hashlib.sha256(bytes(path.absolute()) + b"\0" + code).hexdigest()
    loader = _Code(path, code)
    spec = importlib.util.spec_from_loader(f"seqtrans_cell_{path.stem}_{digest}", loader)
    assert spec is not None  # a loader was given
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses, and others, look it up
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(spec.name, None)
        raise
    return module


def _try_out(kind: type[Cell], name: str) -> None:
    """Check that a sequence has the results and gradients of its steps; raise UsageError if not."""
    generator = torch.Generator().manual_seed(1)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_()

    try:
        with seeded_weights(0):  # the cell may draw initial weights from torch's generator
            cell = kind(INPUTS, HIDDEN).double()
        with torch.no_grad():
            for parameter in cell.parameters():
                parameter.copy_(random(*parameter.shape))
        inputs, state = random(STEPS, BATCH, INPUTS), tuple(random(BATCH, HIDDEN) for _ in range(cell.states))
        shapes = [list(tensor.shape) for tensor in cell.step(cell.project(inputs)[0], state)]
        expected_shapes = [[BATCH, HIDDEN]] * cell.states
        if shapes != expected_shapes:
            raise ValueError(f"`step` must return states of shapes {expected_shapes}, the output h first, not {shapes}")
        results, expected = (_outputs_and_gradients(cell, run, inputs, state) for run in (cell.unroll, cell.loop))
    except Exception as error:
        raise UsageError(f"--cell {name}: a step of it failed: {_in_a_line(error)}") from None
    if not all(torch.allclose(a, b, rtol=1e-9, atol=1e-9) for a, b in zip(results, expected, strict=True)):
        raise UsageError(
            f"--cell {name}: a sequence has other results than its steps one by one; a step must depend on its "
            "arguments alone, and must not change them"
        )


def _outputs_and_gradients(
    cell: Cell, run: Callable[[Tensor, State], tuple[Tensor, State]], inputs: Tensor, state: State
) -> list[Tensor]:
    outputs, _ = run(inputs, state)
    loss = (outputs * torch.linspace(-1, 1, outputs.numel(), dtype=outputs.dtype).view_as(outputs)).sum()
    leaves = [inputs, *state, *cell.parameters()]
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    return [outputs, *(torch.zeros(()) if g is None else g for g in gradients)]


def _in_a_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
