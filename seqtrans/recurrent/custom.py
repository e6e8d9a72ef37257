"""Cells from a user's own file."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from seqtrans.errors import StreamError, UsageError
from seqtrans.recurrent.cells import adopt
from seqtrans.recurrent.cells.base import Cell, State

STEPS, BATCH, INPUTS, HIDDEN = 3, 2, 3, 4
"""Of the trial that every such cell has to pass."""


def adopt_cell(name: str) -> str:
    """Run the file of 'FILE.py:CLASS', try its cell out, and let models use it; returns the file's SHA-256.

    Raises:
        StreamError: the file cannot be read.
        UsageError: it cannot be run, has no such cell, or the cell does not work.
    """
    file, _, attribute = name.rpartition(":")
    if not file:
        raise UsageError(f"--cell {name}: a cell of yours is named as FILE.py:CLASS")
    try:
        code = Path(file).read_bytes()
    except OSError as error:
        raise StreamError(f"--cell {name}: {file} cannot be read: {error.strerror}") from None
    spec = importlib.util.spec_from_file_location(f"seqtrans_cell_{Path(file).stem}", file)
    if spec is None or spec.loader is None:
        raise UsageError(f"--cell {name}: {file} is not a Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses, and others, look it up
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's code does
        raise UsageError(f"--cell {name}: running {file} failed: {_in_a_line(error)}") from None
    kind = getattr(module, attribute, None)
    if not (isinstance(kind, type) and issubclass(kind, Cell)):
        raise UsageError(f"--cell {name}: {file} has no class '{attribute}' that is a seqtrans Cell")
    _try_out(kind, name)
    adopt(attribute, kind)
    return hashlib.sha256(code).hexdigest()


def _try_out(kind: type[Cell], name: str) -> None:
    """A sequence and the loop of its steps must be the same, gradients included."""
    generator = torch.Generator().manual_seed(1)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_()

    try:
        cell = kind(INPUTS, HIDDEN).double()
        with torch.no_grad():
            for parameter in cell.parameters():
                parameter.copy_(random(*parameter.shape))
        inputs, state = random(STEPS, BATCH, INPUTS), tuple(random(BATCH, HIDDEN) for _ in range(cell.states))
        shapes = [list(tensor.shape) for tensor in cell.step(cell.project(inputs)[0], state)]
        if shapes != [[BATCH, HIDDEN]] * cell.states:
            raise ValueError(
                f"of {cell.states} states {[BATCH, HIDDEN]} it makes {shapes}; "
                "as many of the same shape must come out, the output h first"
            )
        found, expected = (_outputs_and_gradients(cell, run, inputs, state) for run in (cell.unroll, cell.loop))
    except Exception as error:
        raise UsageError(f"--cell {name}: a step of it failed: {_in_a_line(error)}") from None
    if not all(torch.allclose(a, b, rtol=1e-9, atol=1e-9) for a, b in zip(found, expected, strict=True)):
        raise UsageError(
            f"--cell {name}: a sequence is not the same as its steps, one by one; a step must depend on nothing but "
            "what it is given, and change none of that"
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
