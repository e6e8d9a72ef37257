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
    torch.manual_seed(5)
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


def test_a_weight_without_gradient_gets_none() -> None:
    leaves = make_leaves()
    frozen = leaves["square"].detach()
    with deferred_gradients():
        outputs = linear(linear(leaves["state"], frozen), frozen)
    torch.testing.assert_close(
        torch.autograd.grad(outputs.sum(), [leaves["state"]])[0], (frozen @ frozen).sum(dim=0).expand(SENTENCES, -1)
    )


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
