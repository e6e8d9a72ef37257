"""The base class of recurrent cells.

Shapes: T steps, B batch, I inputs, H hidden units, G units of all gates together (H per gate).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import torch
from torch import Tensor, nn

from seqtrans.recurrent.products import deferred_gradients, linear
from seqtrans.recurrent.seeding import keep_mask

State = tuple[Tensor, ...]
"""The tensors [B, H] that a cell carries from step to step; the first is its output h."""


def orthogonal(count: int, hidden: int) -> Tensor:
    """`count` orthogonal matrices [H, H], stacked: [count*H, H]. Without values on the meta device."""
    blocks = torch.empty(count * hidden, hidden)
    if not blocks.is_meta:
        for block in blocks.split(hidden):
            nn.init.orthogonal_(block)
    return blocks


@contextmanager
def recurrent_dropout(network: nn.Module, rate: float) -> Iterator[None]:
    """Inside, in training, each recurrent weight of the cells in a network is zero with probability `rate`.

    They are the same weights for all steps and sentences; the others are scaled up by 1 / (1 - rate) (DropConnect:
    Merity et al. 2018, section 2).
    """
    cells = [module for module in network.modules() if isinstance(module, Cell)] if rate else []
    for cell in cells:
        if cell.training:
            weight = cell.recurrent_weight
            keep = keep_mask(weight.shape, rate, weight.device)
            cell._masked_weight = weight * (keep / (1 - rate)).to(weight.dtype)
    try:
        yield
    finally:
        for cell in cells:
            cell._masked_weight = None


class Cell(nn.Module):
    """One step of a recurrence, and its weights.

    A subclass gives its equations in the docstring with their source, the number of `gates` (blocks of H rows
    in the weights) and of `states`, and `step`. It may override `unroll` with something faster that
    computes the same; tests compare it with `loop`. Most cells are written more easily as a `GatedCell`.
    """

    gates: ClassVar[int]
    states: ClassVar[int] = 1
    initial_biases: ClassVar[Sequence[float]] = ()
    """One per gate; if empty, all are 0."""
    options: ClassVar[tuple[str, ...]] = ()
    """Words that may follow the cell's name, each after a `+`."""
    chosen: ClassVar[frozenset[str]] = frozenset()
    """The options with which this class was chosen."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.input_weight = nn.Parameter(torch.empty(self.gates * hidden, inputs))
        self.recurrent_weight = nn.Parameter(torch.empty(self.gates * hidden, hidden))
        self.bias = nn.Parameter(torch.empty(self.gates * hidden))
        self.recorded_outputs: list[Tensor] | None = None
        """The outputs of all steps inside `record_outputs`; else None."""
        self._masked_weight: Tensor | None = None
        if not self.bias.is_meta:  # tensors on the meta device have no values to initialise
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform input weights, orthogonal recurrent weights gate by gate, biases as the class says."""
        with torch.no_grad():
            bound = math.sqrt(6 / (self.input_weight.shape[1] + self.hidden))
            self.input_weight.uniform_(-bound, bound)
            self.recurrent_weight.copy_(orthogonal(self.gates, self.hidden))
            biases = torch.tensor(self.initial_biases or [0.0] * self.gates)
            self.bias.copy_(biases.repeat_interleave(self.hidden))

    @property
    def recurrent(self) -> Tensor:
        """The recurrent weight; inside `recurrent_dropout`, with zeros in it."""
        return self.recurrent_weight if self._masked_weight is None else self._masked_weight

    def project(self, inputs: Tensor) -> Tensor:
        """The projected inputs W_x x + b, for all steps in one product: [..., I] -> [..., G]."""
        return linear(inputs, self.input_weight, self.bias)

    def project_zero(self, like: Tensor) -> Tensor:
        """What `project` gives for inputs of zero, with the type and shape of `like` [B, G].

        For deep transitions. Override it whenever you override `project`.
        """
        return self.bias.to(like.dtype).expand_as(like)

    def step(self, projected: Tensor, state: State) -> State:
        """One step: projected inputs [B, G] and the state before -> the state after."""
        raise NotImplementedError

    def advance(self, projected: Tensor, state: State) -> State:
        """`step`, recording the output if requested; networks call this."""
        state = self.step(projected, state)
        if self.recorded_outputs is not None:
            self.recorded_outputs.append(state[0])
        return state

    def initial_state(self, batch: int) -> State:
        """Zeros, [B, H] each."""
        return tuple(self.bias.new_zeros(batch, self.hidden) for _ in range(self.states))

    def sequence(self, inputs_TBI: Tensor, state: State) -> Tensor:
        """The outputs h_1..h_T [T, B, H] from a state."""
        return self.run(inputs_TBI, state)[0]

    def run(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """`unroll`, or `loop` if outputs are recorded; networks call this."""
        return self.unroll(inputs_TBI, state) if self.recorded_outputs is None else self.loop(inputs_TBI, state)

    def unroll(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """The outputs [T, B, H] and the last state: `loop` with `deferred_gradients`; override with something faster.

        No gradient comes back through the last state: it is where the next segment of a long text begins.
        """
        with deferred_gradients():
            return self.loop(inputs_TBI, state)

    def loop(self, inputs_TBI: Tensor, state: State) -> tuple[Tensor, State]:
        """The same as `unroll`, one `step` after another: the reference."""
        if not len(inputs_TBI):
            return inputs_TBI.new_zeros(0, inputs_TBI.shape[1], self.hidden), detached(state)
        outputs = []
        steps = self.project(inputs_TBI)
        state = tuple(tensor.to(steps.dtype) for tensor in state)
        for projected in steps.unbind(0):
            state = self.advance(projected, state)
            outputs.append(state[0])
        return torch.stack(outputs), detached(state)


def detached(state: State) -> State:
    """The same state, through which no gradient goes back."""
    return tuple(tensor.detach() for tensor in state)
