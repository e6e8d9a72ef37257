"""Deep transitions: several cells, one after another, per step of the sequence.

Shapes: T steps, B batch, I inputs, H hidden units.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, cast

from torch import Tensor, nn

from seqtrans.errors import UsageError
from seqtrans.recurrent.cells.base import Cell, State


class DeepTransition(Cell):
    """s_t = f_L(... f_2(f_1(x_t, s_{t-1}))): only the first of L cells reads the input.

    Pascanu et al. 2014, with gated cells as Miceli Barone et al. 2017.
    """

    transitions: ClassVar[int]
    kind: ClassVar[type[Cell]]

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.later = nn.ModuleList(self.kind(hidden, hidden) for _ in range(self.transitions - 1))
        for cell in self._later():
            del cell.input_weight

    def step(self, projected: Tensor, state: State) -> State:
        """One step of all cells; the later ones read inputs of zero."""
        state = super().step(projected, state)
        for cell in self._later():
            state = cell.step(cell.project_zero(projected), state)
        return state

    def unroll(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """The outputs and the last state step by step: the kernels run one cell per step."""
        return Cell.unroll(self, inputs_TBI, state)

    def _later(self) -> Iterator[Cell]:
        return (cell for cell in self.later if isinstance(cell, Cell))


def with_transitions(kind: type[Cell], transitions: int) -> type[Cell]:
    """A class of cells like `kind` with this number of transitions per step.

    Raises:
        UsageError: the cell overrides `project`, but not `project_zero`.
    """
    if transitions == 1:
        return kind
    if kind.project is not Cell.project and kind.project_zero is Cell.project_zero:
        raise UsageError(
            f"cell {kind.__name__} overrides `project`: for deep transitions it must override `project_zero` too"
        )
    name = f"{kind.__name__}x{transitions}"
    return cast(type[Cell], type(name, (DeepTransition, kind), {"transitions": transitions, "kind": kind}))
