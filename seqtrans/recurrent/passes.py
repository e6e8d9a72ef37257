"""A function of tensors and its derivative, both without autograd."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any

import torch
from torch import Tensor

from seqtrans.recurrent.probes import probe

Function = Callable[[Sequence[Tensor]], Sequence[Tensor]]
Saved = tuple[Tensor, ...]
"""What the backward pass needs of the forward pass."""

_TRACING = RLock()
"""Held while tracing, since torch then replaces methods of nn.Module for all threads.

Reentrant, since a user's equations may run other cells, which are then traced too.
"""


@dataclass(frozen=True)
class Passes:
    """Forward and backward pass of a function, for arguments of certain shapes."""

    forward: Callable[..., tuple[tuple[Tensor, ...], Saved]]
    """The arguments one by one, then a buffer for the first result -> the results, and what the backward pass needs.

    The first result is in the buffer, and the tensor that is returned for it is the buffer or equal to it.
    """
    backward: Callable[..., tuple[Tensor | None, ...]]
    """What was saved, the gradients of the results, buffers -> the gradients of those arguments that have no buffer.

    None for an argument that has no gradient.
    """
    has_gradient: tuple[bool, ...]
    """For each argument. The buffer of an argument without a gradient is left as it is."""


Traces = dict[Any, Passes]
"""Passes by the shapes, type and device of the arguments."""


class TracedFunction:
    """A function, with `Passes` that are made at the first use with arguments of some shapes and type."""

    def __init__(self, function: Function, traces: Callable[[], Traces] | None = None) -> None:
        """`traces` gives the passes that equal functions share; without it, this function has its own."""
        self.function = function
        own: Traces = {}
        self._traces = traces or (lambda: own)

    def passes(self, arguments: Sequence[Tensor], buffered: Collection[int]) -> Passes:
        """The passes for arguments like these, of which only shapes, type and device matter.

        `buffered` has the numbers of the arguments whose gradients go into buffers.

        Raises:
            ValueError: the function writes into a part of a tensor, or does not use the result of a write.
        """
        first = arguments[0]
        key = first.device, first.dtype, tuple(tensor.shape for tensor in arguments), tuple(buffered)
        traces = self._traces()
        if key not in traces:
            from seqtrans.recurrent.tracing import trace  # fails where torch lacks what it needs: see `can_trace`

            with _TRACING:
                if key not in traces:
                    traces[key] = Passes(*trace(self.function, arguments, buffered))
        return traces[key]


@probe("tracing of a cell's equations", "its steps run one by one, which takes longer")
def can_trace() -> bool:
    """Whether the results and gradients of a `TracedFunction` are those of autograd, for a step of a gated cell."""

    def step(arguments: Sequence[Tensor]) -> Sequence[Tensor]:
        z, c, h, scale = arguments
        return torch.addcmul(h, torch.sigmoid(z), torch.tanh(c * scale) - h), h * 1

    generator = torch.Generator().manual_seed(1)
    shapes = ((2, 3), (2, 3), (2, 3), (3,), (2, 3), (2, 3))
    *arguments, d_h, d_copy = (torch.randn(shape, dtype=torch.float64, generator=generator) for shape in shapes)
    buffers = torch.empty(3, 2, 3, dtype=torch.float64)
    passes = TracedFunction(step).passes(arguments, [0, 1])
    (_, second), saved = passes.forward(*arguments, buffers[0])
    gradients = [*buffers[1:], *passes.backward(*saved, d_h, d_copy, *buffers[1:])]
    with torch.enable_grad():
        leaves = [argument.requires_grad_() for argument in arguments]
        results = step(leaves)
        expected = torch.autograd.grad(results, leaves, [d_h, d_copy])
    pairs = zip([buffers[0], second, *gradients], [*results, *expected], strict=True)
    return all(one is not None and torch.allclose(one, other) for one, other in pairs)
