"""What every recurrent cell is.

Shapes: T steps, B batch, I inputs, H hidden units, G gates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import torch
from torch import Tensor, nn

from seqtrans.recurrent.products import linear

State = tuple[Tensor, ...]
"""The tensors [B, H] that a cell carries from step to step; the first is its output h."""


_loading = False


@contextmanager
def without_initial_weights() -> Iterator[None]:
    """Cells made inside hold arbitrary numbers, for weights about to be loaded: orthogonalising takes a second."""
    global _loading  # module constructors take no flag through every level above them
    _loading = True
    try:
        yield
    finally:
        _loading = False


class Cell(nn.Module):
    """One step of a recurrence, and its weights.

    A subclass gives its equations in the docstring with their source, the number of `gates` (blocks of H rows
    in the weights) and of `states`, and `step`. It may override `sequence` with something faster that
    computes the same; tests hold it against the plain loop.
    """

    gates: ClassVar[int]
    states: ClassVar[int] = 1

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.input_weight = nn.Parameter(torch.empty(self.gates * hidden, inputs))
        self.recurrent_weight = nn.Parameter(torch.empty(self.gates * hidden, hidden))
        self.bias = nn.Parameter(torch.empty(self.gates * hidden))
        if not _loading:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform input weights, orthogonal recurrent weights gate by gate, zero biases."""
        with torch.no_grad():
            bound = math.sqrt(6 / (self.input_weight.shape[1] + self.hidden))
            self.input_weight.uniform_(-bound, bound)
            for block in self.recurrent_weight.split(self.hidden):
                nn.init.orthogonal_(block)
            self.bias.zero_()

    def project(self, inputs: Tensor) -> Tensor:
        """The part of the gates that needs no state, for all steps in one product: [..., I] -> [..., G*H]."""
        return linear(inputs, self.input_weight, self.bias)

    def step(self, projected: Tensor, state: State) -> State:
        """One step: projected inputs [B, G*H] and the state before -> the state after."""
        raise NotImplementedError

    def initial_state(self, batch: int) -> State:
        """Zeros, [B, H] each."""
        return tuple(self.bias.new_zeros(batch, self.hidden) for _ in range(self.states))

    def sequence(self, inputs_TBI: Tensor, state: State) -> Tensor:
        """The outputs h_1..h_T [T, B, H] from a state; the fastest exact way, here the plain loop."""
        return self.loop(inputs_TBI, state)

    def loop(self, inputs_TBI: Tensor, state: State) -> Tensor:
        """The outputs by one `step` after the other: the reference."""
        if not len(inputs_TBI):
            return inputs_TBI.new_zeros(0, inputs_TBI.shape[1], self.hidden)
        outputs = []
        for projected in self.project(inputs_TBI).unbind(0):
            state = self.step(projected, state)
            outputs.append(state[0])
        return torch.stack(outputs)
