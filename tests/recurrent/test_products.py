"""Deferred gradients are the gradients that autograd would have added up step by step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pytest
import torch
from torch import Tensor

from seqtrans.recurrent.products import deferred_gradients, linear

STEPS, SENTENCES, UNITS = 4, 3, 5

Recurrence = Callable[[Tensor, dict[str, Tensor]], Tensor]


def with_one_weight(state: Tensor, w: dict[str, Tensor]) -> Tensor:
    return torch.tanh(linear(state, w["square"], w["bias"]))


def with_slices_of_one_weight(state: Tensor, w: dict[str, Tensor]) -> Tensor:
    upper, lower = w["tall"].split(UNITS)
    return torch.tanh(linear(state, upper)) * linear(state, lower)


def with_a_matrix_for_each_sentence(state: Tensor, w: dict[str, Tensor]) -> Tensor:
    scores = torch.softmax(linear(state.unsqueeze(1), w["memory"]), dim=2)
    return state + linear(scores, w["memory"].mT).squeeze(1)


def with_rows_of_several_queries(state: Tensor, w: dict[str, Tensor]) -> Tensor:
    return torch.tanh(linear(torch.stack([state, -2 * state], dim=1), w["square"])).sum(dim=1)


def with_a_weight_used_elsewhere(state: Tensor, w: dict[str, Tensor]) -> Tensor:
    return torch.tanh(linear(state, w["square"]) + w["square"].sum())


recurrences = pytest.mark.parametrize(
    "recurrence",
    [
        with_one_weight,
        with_slices_of_one_weight,
        with_a_matrix_for_each_sentence,
        with_rows_of_several_queries,
        with_a_weight_used_elsewhere,
    ],
)


def make_leaves(dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    torch.default_generator.manual_seed(5)
    shapes = {
        "state": (SENTENCES, UNITS),
        "square": (UNITS, UNITS),
        "bias": (UNITS,),
        "tall": (2 * UNITS, UNITS),
        "memory": (SENTENCES, 7, UNITS),
    }
    return {name: torch.randn(shape, dtype=dtype, requires_grad=True) for name, shape in shapes.items()}


def run(
    recurrence: Recurrence, leaves: dict[str, Tensor], how: Callable[[], AbstractContextManager[None]]
) -> tuple[Tensor, list[Tensor | None]]:
    state = leaves["state"]
    with how():
        for _ in range(STEPS):
            state = recurrence(state, leaves)
    return state.detach(), list(torch.autograd.grad(state.square().sum(), list(leaves.values()), allow_unused=True))


@recurrences
def test_outputs_and_gradients_are_those_without(recurrence: Recurrence) -> None:
    leaves = make_leaves()
    expected, expected_gradients = run(recurrence, leaves, nullcontext)
    found, gradients = run(recurrence, leaves, deferred_gradients)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    assert any(g is not None for g in gradients[1:])
    for one, other in zip(gradients, expected_gradients, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@recurrences
def test_gradients_are_those_of_finite_differences(recurrence: Recurrence) -> None:
    leaves = make_leaves()

    def outputs(*tensors: Tensor) -> Tensor:
        named = dict(zip(leaves, tensors, strict=True))
        state = named["state"]
        with deferred_gradients():
            for _ in range(STEPS):
                state = recurrence(state, named)
        return state

    assert torch.autograd.gradcheck(outputs, tuple(leaves.values()))


def test_steps_that_the_loss_does_not_need_add_nothing() -> None:
    leaves = make_leaves()
    with deferred_gradients():
        kept = linear(leaves["state"], leaves["square"])
        linear(kept, leaves["square"])
    (found,) = torch.autograd.grad(kept.sum(), [leaves["square"]])
    expected = leaves["state"].detach().sum(dim=0).expand(UNITS, -1)
    torch.testing.assert_close(found, expected)


def test_uses_that_autograd_does_not_follow_are_not_taken_for_others() -> None:
    leaves = make_leaves()
    state, weight = leaves["state"], leaves["square"]
    with deferred_gradients():
        with torch.no_grad():
            linear(state, weight)
        outputs = linear(linear(state, weight.detach()), weight)
        outputs = linear(outputs, weight.detach())
    expected = state @ weight.detach().T @ weight.T @ weight.detach().T
    torch.testing.assert_close(outputs, expected)
    for leaf in (state, weight):
        found, wanted = (torch.autograd.grad(o.square().sum(), leaf, retain_graph=True)[0] for o in (outputs, expected))
        torch.testing.assert_close(found, wanted)


def test_a_backward_pass_that_leaves_weights_out_leaves_nothing_behind() -> None:
    leaves = make_leaves()
    with deferred_gradients():
        loss = with_one_weight(with_one_weight(leaves["state"], leaves), leaves).sum()
    torch.autograd.grad(loss, [leaves["state"]], retain_graph=True)
    (first,) = torch.autograd.grad(loss, [leaves["square"]], retain_graph=True)
    (second,) = torch.autograd.grad(loss, [leaves["square"]])
    (expected,) = torch.autograd.grad(
        with_one_weight(with_one_weight(leaves["state"], leaves), leaves).sum(), [leaves["square"]]
    )
    torch.testing.assert_close(first, expected)
    torch.testing.assert_close(second, expected)


@pytest.mark.parametrize("how", [nullcontext, deferred_gradients])
def test_a_bias_and_types_mean_the_same_with_and_without(how: Callable[[], AbstractContextManager[None]]) -> None:
    leaves = make_leaves()
    queries, bias = leaves["state"].unsqueeze(1), torch.ones(7, dtype=torch.float64)
    with how():
        found = linear(queries, leaves["memory"], bias)
        torch.testing.assert_close(found, queries @ leaves["memory"].mT + 1)
        with pytest.raises(RuntimeError, match="dtype"):
            linear(leaves["state"], leaves["square"].float())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert linear(leaves["state"], leaves["square"]).dtype == torch.float64


def test_under_autocast_products_are_in_bfloat16_and_weight_gradients_in_32_bits() -> None:
    leaves = make_leaves(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, gradients = run(with_one_weight, leaves, deferred_gradients)
        expected, expected_gradients = run(with_one_weight, leaves, nullcontext)
    assert found.dtype == expected.dtype == torch.bfloat16
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.05)
    weight, other = gradients[1], expected_gradients[1]
    assert weight is not None
    assert other is not None
    assert weight.dtype == torch.float32
    torch.testing.assert_close(weight, other, rtol=0.1, atol=0.1)
