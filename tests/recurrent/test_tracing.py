"""The traced passes hold no superfluous operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node

from seqtrans.recurrent.tracing import trace


def operations(compiled: Callable[..., Any]) -> list[tuple[str, bool]]:
    """The name of each operation of a pass, and whether it writes its result into a buffer."""
    module = getattr(compiled, "__self__", None)
    assert isinstance(module, GraphModule)
    calls = [node for node in module.graph.nodes if node.op in ("call_function", "call_method")]
    return [
        (
            getattr(node.target, "__name__", str(node.target)).partition(".")[0],
            any(isinstance(value, Node) and value.name.startswith("buffer") for value in node.kwargs.values()),
        )
        for node in calls
    ]


def test_operations_that_change_nothing_are_left_out() -> None:
    """Autograd detaches what it saves, and multiplies a product's gradients by the factor 1 that `addcmul` may have."""

    def step(arguments: Sequence[Tensor]) -> Sequence[Tensor]:
        z, c, h = arguments
        return (torch.addcmul(h, torch.sigmoid(z), c),)

    forward, backward, has_gradient = trace(step, [torch.zeros(2, 3)] * 3, [])
    assert operations(forward) == [("sigmoid", False), ("addcmul", True)]
    assert [name for name, _ in operations(backward)] == ["mul", "mul", "sigmoid_backward"]
    assert has_gradient == (True, True, True)


def test_results_are_computed_in_their_buffers_and_not_copied_there() -> None:
    def step(arguments: Sequence[Tensor]) -> Sequence[Tensor]:
        z, h = arguments
        return torch.sigmoid(z) * h, torch.tanh(h)

    forward, backward, _ = trace(step, [torch.zeros(2, 3)] * 2, [0])
    assert sorted(operations(forward)) == [("mul", True), ("sigmoid", False), ("tanh", False)]
    assert [name for name, in_buffer in operations(backward) if in_buffer] == ["sigmoid_backward"]
    assert "copy_" not in dict(operations(forward) + operations(backward))
