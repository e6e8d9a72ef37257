"""The kernel on cells with unusual equations: it computes what the plain loop does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from seqtrans.recurrent.cells.base import State
from seqtrans.recurrent.gated import GatedCell
from seqtrans.recurrent.kernel import run
from seqtrans.recurrent.normalised import NormalisedGates
from seqtrans.recurrent.recurrence import GATED, Product

STEPS, BATCH, INPUTS, HIDDEN = 4, 3, 5, 6


@pytest.fixture(autouse=True)
def _same_weights_in_any_order() -> None:
    """Whether a result in few digits is near enough depends on the weights."""
    torch.default_generator.manual_seed(8)


class OneGradientForTwoGates(GatedCell):
    gates = 2

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return (torch.tanh(gates[0] + gates[1]),)


class AGateNobodyReads(GatedCell):
    gates = 3

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return (torch.tanh(gates[0]) * torch.sigmoid(gates[2]),)


class AGateIsTheOutput(GatedCell):
    gates = 1
    states = 2

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return gates[0], state[0]


class TheStateIsTheOutput(GatedCell):
    gates = 1
    states = 2

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return state[1], torch.sin(gates[0])


class CannotWriteIntoABuffer(GatedCell):
    """An operation that has no argument for a buffer."""

    gates = 2

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return (torch.relu(gates[0]).cumsum(1) * 0.1 + gates[1].flip(1),)


class ReadTwice(GatedCell):
    """The first gate has gradients from both functions, and one of them is that of the state as well."""

    gates = 2
    gated_gates = 1

    def gated(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> Tensor:
        return torch.sigmoid(gates[0]) * state[0]

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return (torch.tanh(state[0] + gates[0]) * torch.cos(gates[1]),)


class AGatedGateNobodyReads(GatedCell):
    gates = 3
    gated_gates = 1

    def gated(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> Tensor:
        return gates[0] * state[0]

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return (torch.tanh(gates[1]),)


class TwoSplit(GatedCell):
    """In the order that `combine` is promised."""

    gates = 3
    split_gates = 2

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        a, x, y, h, k = gates
        return (torch.tanh(a + 2 * x + 3 * torch.sin(y) + 4 * torch.sin(h) + 5 * k),)


class ExtraParameters(GatedCell):
    gates = 1

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.scale = nn.Parameter(torch.randn(hidden))
        self.unused = nn.Parameter(torch.randn(2))
        self.turn = nn.Parameter(torch.randn(hidden, hidden) / hidden)

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        scale, _, turn = extra_parameters
        return (torch.tanh(gates[0] * scale) @ turn,)


class ReadsEveryState(GatedCell):
    gates = 1
    states = 3

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden)
        self.sight = nn.Parameter(torch.randn(3 * hidden, hidden))

    def products(self) -> list[Product]:
        size = self.hidden
        return [Product(size, 0, 2), Product(size, size), Product(size, 0, 1), Product(size, 0, GATED)]

    def weights(self) -> list[Tensor]:
        first, second, third = self.sight.split(self.hidden)
        return [first, self.recurrent, second, third]

    def extra_parameters(self) -> list[Tensor]:
        return []

    def gated(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> Tensor:
        return torch.sin(gates[0]) * gates[1]

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        a, b, c, d = gates
        return torch.tanh(a + b * torch.sigmoid(c)), torch.sin(d), state[0]


class SeesItsStateInAnotherShape(GatedCell):
    """One node is the gradient of the state in one shape, and of the gate in another."""

    gates = 2
    gated_gates = 1

    def gated(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> Tensor:
        return torch.sigmoid(gates[0])

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return (torch.tanh(state[0].unflatten(1, (2, -1)).flatten(1) + gates[0]) * gates[1],)


class SeesItsStateAcrossSentences(GatedCell):
    """The gate's gradient is not contiguous, and has no such view."""

    gates = 2

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        batch, hidden = state[0].shape
        turned = (state[0].view(2 * batch, -1) * 0.5).view(batch, hidden)
        return (torch.tanh(gates[0] + turned) * torch.sigmoid(gates[1]),)


class Python(GatedCell):
    """An operation that torch offers only in Python."""

    gates = 1

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        half = gates[0][:, : self.hidden // 2]
        return (torch.block_diag(half, half)[: len(half)] + torch.tanh(state[0]),)


@torch.library.custom_op("seqtrans_tests::tanh", mutates_args=(), schema="(Tensor numbers) -> Tensor")
def tanh_of_another_library(numbers: Tensor) -> Tensor:
    return numbers.tanh()


tanh_of_another_library.register_fake(torch.empty_like)
tanh_of_another_library.register_autograd(
    lambda ctx, grad: grad * (1 - ctx.saved_tensors[0] ** 2),
    setup_context=lambda ctx, inputs, output: ctx.save_for_backward(output),
)


class AnotherLibrary(GatedCell):
    gates = 1

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return (tanh_of_another_library(gates[0]),)


class WritesInAWhole(GatedCell):
    gates = 1

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return ((gates[0] * 2).add_(1).sin(),)


class NormalisedReadTwice(NormalisedGates, ReadTwice):
    pass


class NormalisedThreeProducts(NormalisedGates):
    """The gate that reads `gated` comes from the third product, and has the third part of the gain."""

    gates = 3
    states = 2

    def products(self) -> list[Product]:
        size = self.hidden
        return [Product(size, size), Product(size, size, 1), Product(size, size, GATED)]

    def weights(self) -> list[Tensor]:
        return list(self.recurrent.split(self.hidden))

    def gated(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> Tensor:
        return torch.sigmoid(gates[0]) * state[0]

    def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
        return torch.tanh(gates[1] + gates[2]), torch.sin(gates[0])


CELLS = [
    OneGradientForTwoGates, AGateNobodyReads, AGateIsTheOutput, TheStateIsTheOutput, CannotWriteIntoABuffer, ReadTwice,
    AGatedGateNobodyReads, TwoSplit, ExtraParameters, ReadsEveryState, SeesItsStateInAnotherShape,
    SeesItsStateAcrossSentences, Python, AnotherLibrary, WritesInAWhole, NormalisedReadTwice,
    NormalisedThreeProducts,
]  # fmt: skip


def both_ways(
    cell: GatedCell, steps: int, batch: int, dtype: torch.dtype = torch.float64
) -> tuple[list[Tensor], list[Tensor]]:
    """Outputs, states and gradients by the kernel and by the loop; the outputs' gradients are not contiguous."""
    torch.default_generator.manual_seed(7)
    inputs = torch.randn(steps, batch, INPUTS, dtype=dtype, requires_grad=True)
    state = tuple(torch.randn(batch, HIDDEN, dtype=dtype, requires_grad=True) for _ in range(cell.states))
    weights = torch.randn(HIDDEN, batch, steps, dtype=dtype).permute(2, 1, 0)
    leaves = [inputs, *state, *cell.parameters()]

    def way(run: Callable[[Tensor, State], tuple[Tensor, State]]) -> list[Tensor]:
        outputs, last = run(inputs, state)
        gradients = torch.autograd.grad(outputs, leaves, weights, allow_unused=True)
        known = [torch.zeros_like(leaf) if d is None else d for leaf, d in zip(leaves, gradients, strict=True)]
        return [outputs, *last, *known]

    return way(cell.unroll), way(cell.loop)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(("steps", "batch"), [(1, BATCH), (STEPS, BATCH), (STEPS, 1)])
def test_outputs_states_and_gradients_are_those_of_the_loop(kind: type[GatedCell], steps: int, batch: int) -> None:
    for fast, plain in zip(*both_ways(kind(INPUTS, HIDDEN).double(), steps, batch), strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.1)])
def test_in_fewer_digits_too(kind: type[GatedCell], dtype: torch.dtype, tolerance: float) -> None:
    for fast, plain in zip(*both_ways(kind(INPUTS, HIDDEN).to(dtype), STEPS, BATCH, dtype), strict=True):
        assert fast.dtype == plain.dtype
        assert (fast - plain).norm() <= tolerance * plain.norm().clamp(min=1)


@pytest.mark.parametrize("kind", CELLS)
def test_a_second_backward_pass_gives_the_same(kind: type[GatedCell]) -> None:
    cell = kind(INPUTS, HIDDEN)
    outputs, _ = cell.unroll(torch.randn(STEPS, BATCH, INPUTS), cell.initial_state(BATCH))
    leaves = [cell.input_weight, cell.recurrent_weight, cell.bias]
    first = torch.autograd.grad(outputs.sum(), leaves, retain_graph=True, allow_unused=True)
    again = torch.autograd.grad(outputs.sum(), leaves, allow_unused=True)
    for one, other in zip(first, again, strict=True):
        assert one is other is None or torch.equal(one, other)


@pytest.mark.parametrize("changed", ["recurrent_weight", "scale"])
def test_parameters_must_not_change_before_the_backward_pass(changed: str) -> None:
    cell = ExtraParameters(INPUTS, HIDDEN)
    outputs, _ = cell.unroll(torch.randn(STEPS, BATCH, INPUTS), cell.initial_state(BATCH))
    with torch.no_grad():
        cell.get_parameter(changed).add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()


def test_the_projected_inputs_of_split_gates_must_not_change_before_the_backward_pass() -> None:
    cell = TwoSplit(INPUTS, HIDDEN)
    projected = cell.project(torch.randn(STEPS, BATCH, INPUTS))
    state = cell.initial_state(BATCH)
    outputs, _ = run(cell._recurrence, projected, cell.weights(), state, cell.norm(), cell.extra_parameters())
    with torch.no_grad():
        projected.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()


def test_a_write_into_a_part_is_refused() -> None:
    class WritesInAPart(GatedCell):
        gates = 1

        def combine(self, gates: Sequence[Tensor], state: State, *extra_parameters: Tensor) -> State:
            h = torch.tanh(gates[0]) + 1
            h[:, 0] = 0
            return (h,)

    cell = WritesInAPart(INPUTS, HIDDEN)
    with pytest.raises(ValueError, match="make new tensors"):
        cell.unroll(torch.randn(STEPS, BATCH, INPUTS), cell.initial_state(BATCH))


def test_gates_that_are_not_added_up_are_not_normalised() -> None:
    class Both(NormalisedGates, TwoSplit):
        pass

    with pytest.raises(ValueError, match="cannot be normalised"):
        Both(INPUTS, HIDDEN)


def test_only_the_last_product_reads_what_is_gated() -> None:
    class Early(ReadsEveryState):
        def products(self) -> list[Product]:
            return super().products()[::-1]

    with pytest.raises(ValueError, match="only the last product"):
        Early(INPUTS, HIDDEN)


def test_not_all_gates_are_gated() -> None:
    class AllGated(ReadTwice):
        gated_gates = 2

    with pytest.raises(ValueError, match="gated_gates must be fewer than gates"):
        AllGated(INPUTS, HIDDEN)


def test_no_input_is_left_out() -> None:
    class Deaf(ReadsEveryState):
        def products(self) -> list[Product]:
            return [Product(product.rows, 0, product.reads) for product in super().products()]

    with pytest.raises(ValueError, match="the projected inputs of all gates"):
        Deaf(INPUTS, HIDDEN)
