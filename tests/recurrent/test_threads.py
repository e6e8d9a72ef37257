"""Two threads with two models do not disturb each other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
import torch
from torch import Tensor, nn

from seqtrans.config.schema import ModelConfig
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.recurrent.cells import find_cell
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.packing import PackedWeights, packing_works
from seqtrans.recurrent.products import deferred_gradients, linear, packed_weights

STEPS, BATCH, SIZE = 6, 3, 8
PATIENCE_SECONDS = 60


def at_the_same_time(*tasks: Callable[[], list[Tensor]]) -> list[list[Tensor]]:
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result(PATIENCE_SECONDS) for future in [pool.submit(task) for task in tasks]]


def make_weight(seed: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(seed)) / SIZE**0.5)


def test_one_trains_and_the_other_decodes_with_packed_weights() -> None:
    """Each step of one happens between two steps of the other."""
    turn = Barrier(2, timeout=PATIENCE_SECONDS)
    trained, decoded, packed = make_weight(1), make_weight(2), PackedWeights()
    inputs = torch.ones(BATCH, SIZE)

    def train(wait: Callable[[], object]) -> list[Tensor]:
        state = inputs
        with deferred_gradients():
            for _ in range(STEPS):
                wait()
                state = torch.tanh(linear(state, trained))
            with torch.no_grad():
                validation = linear(state, trained)
            wait()
        stand_ins = operations(state).count("_StandInBackward")
        (gradient,) = torch.autograd.grad(state.sum(), [trained])
        return [state.detach(), gradient, validation, torch.tensor(stand_ins)]

    def decode(wait: Callable[[], object]) -> list[Tensor]:
        state = inputs
        with torch.no_grad(), packed_weights(packed):
            for _ in range(STEPS):
                wait()
                state = torch.tanh(linear(state, decoded))
            wait()
        return [state]

    expected = [train(lambda: None), decode(lambda: None)]
    assert int(expected[0][-1]) == 1, "the gradient of all steps is one product"
    results = at_the_same_time(lambda: train(turn.wait), lambda: decode(turn.wait))
    for found, alone in zip(results, expected, strict=True):
        assert all(torch.equal(one, other) for one, other in zip(found, alone, strict=True))
    packed_ids = {id(weight) for weight, *_ in packed._packed.values()}
    assert packed_ids == ({id(decoded)} if packing_works(torch.float32) else set())


def operations(output: Tensor) -> list[str]:
    """The names of all nodes of a graph, each once."""
    waiting, nodes = [output.grad_fn], {}
    while waiting:
        node = waiting.pop()
        if node is not None and node not in nodes:
            nodes[node] = type(node).__name__
            waiting += [before for before, _ in node.next_functions]
    return list(nodes.values())


@pytest.mark.skipif(not packing_works(torch.int8), reason="this build of torch has no products of 8-bit integers")
def test_weights_are_packed_in_8_bits_by_several_at_once() -> None:
    engine = torch.backends.quantized.engine
    weights = [make_weight(seed) for seed in range(20)]
    inputs = torch.randn(BATCH, SIZE, generator=torch.Generator().manual_seed(3))

    def decode() -> list[Tensor]:
        packed = PackedWeights(int8=True)
        with torch.no_grad(), packed_weights(packed):
            return [linear(inputs, weight) for weight in weights]

    expected = decode()
    for found in at_the_same_time(*[decode] * 4):
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert torch.backends.quantized.engine == engine


@pytest.mark.parametrize("name", ["gru", "lstm-peephole"])
def test_several_train_cells_whose_backward_pass_is_not_derived_yet(name: str) -> None:
    """Tracing an operation in torch replaces methods of nn.Module for the time being: two must not do so at once."""
    methods = nn.Module.__call__, nn.Module.__getattr__
    inputs = torch.randn(STEPS, BATCH, SIZE, generator=torch.Generator().manual_seed(4))

    def make() -> Cell:
        torch.default_generator.manual_seed(5)
        return find_cell(name)(SIZE, SIZE)

    def train(cell: Cell) -> list[Tensor]:
        outputs = cell.sequence(inputs, cell.initial_state(BATCH))
        return [outputs.detach(), *torch.autograd.grad(outputs.sum(), list(cell.parameters()))]

    expected = train(make())
    for _ in range(3):
        cells = [make() for _ in range(4)]
        for found in at_the_same_time(*[lambda cell=cell: train(cell) for cell in cells]):
            assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert (nn.Module.__call__, nn.Module.__getattr__) == methods


def test_a_model_is_used_while_another_is_traced() -> None:
    torch.default_generator.manual_seed(6)
    network = LanguageNetwork(ModelConfig(task="lm", cell="lstm", embedding=8, hidden=8), 20).eval()
    ids = torch.arange(STEPS).unsqueeze(1)
    traced = Event()

    def read() -> list[Tensor]:
        with torch.no_grad():
            return [network.predict(ids, network.start(1))[0]]

    def train() -> list[Tensor]:
        for _ in range(5):
            cell = find_cell("gru")(SIZE, SIZE)
            cell.sequence(torch.ones(STEPS, BATCH, SIZE), cell.initial_state(BATCH)).sum().backward()
        traced.set()
        return []

    def read_on() -> list[Tensor]:
        results = read()
        while not traced.is_set():
            results += read()
        return results

    (expected,) = read()
    _, results = at_the_same_time(train, read_on)
    assert all(torch.equal(result, expected) for result in results)
