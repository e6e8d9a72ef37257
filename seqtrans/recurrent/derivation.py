"""A function and its derivative as two flat lists of operations.

Autograd writes the backward pass once. After that both passes run without it, which costs half as much where the
tensors are as small as those of one step of a recurrence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg

Function = Callable[[Sequence[Tensor]], Sequence[Tensor]]
Kept = tuple[Tensor, ...]
"""What the backward pass needs of the forward pass."""

_SAME = (torch.ops.aten.detach.default, torch.ops.aten.alias.default)


@dataclass(frozen=True)
class Passes:
    """Both lists, for tensors of certain shapes."""

    forward: Callable[..., tuple[tuple[Tensor, ...], Kept]]
    """What the function is given, one by one -> its results, and what to keep."""
    backward: Callable[..., tuple[Tensor | None, ...]]
    """What was kept and then the gradients of the results, one by one -> those of what was given, if any."""


class Derivation:
    """The `Passes` of a function, made when they are first needed for tensors of some shapes."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self._passes: dict[Any, Passes] = {}

    def of(self, given: Sequence[Tensor]) -> Passes:
        """The passes for arguments like these, of which only shapes, type and device matter."""
        key = given[0].device, given[0].dtype, tuple(tensor.shape for tensor in given)
        if key not in self._passes:
            self._passes[key] = _derive(self.function, given)
        return self._passes[key]


def _derive(function: Function, like: Sequence[Tensor]) -> Passes:
    def joint(given: list[Tensor], above: list[Tensor]) -> list[Tensor | None]:
        results = function(given)
        return [*results, *torch.autograd.grad(results, given, above, allow_unused=True)]

    with torch.autocast(like[0].device.type, enabled=False), torch.enable_grad():
        given = [torch.zeros_like(tensor).requires_grad_() for tensor in like]
        above = [torch.zeros_like(result) for result in function(given)]
        traced = make_fx(joint)(given, above)
    graph = traced.graph
    for node in list(graph.nodes):
        scaled_by_one = node.target == torch.ops.aten.mul.Scalar and node.args[1] == 1
        if node.target in _SAME or scaled_by_one:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
    places = [node for node in graph.nodes if node.op == "placeholder"]
    of_given, of_above = places[: len(given)], places[len(given) :]
    (outputs,) = next(node for node in graph.nodes if node.op == "output").args
    results, gradients = outputs[: len(above)], outputs[len(above) :]
    known = _makings(results, of_given)
    later = _makings(gradients, [*known, *of_given, *of_above])
    used = [node for one in later for node in one.all_input_nodes] + [n for n in gradients if n is not None]
    kept = [node for node in dict.fromkeys(used) if node in known or node in of_given]
    return Passes(
        _compiled(traced, known, of_given, (tuple(results), tuple(kept))),
        _compiled(traced, later, [*kept, *of_above], tuple(gradients)),
    )


def _makings(outputs: Iterable[Node | None], given: Sequence[Node]) -> list[Node]:
    """The nodes that are needed to compute the outputs from what is given, in the graph's order."""
    needed: set[Node] = set()
    waiting = [node for node in outputs if node is not None]
    while waiting:
        node = waiting.pop()
        if node not in needed and node not in given:
            needed.add(node)
            waiting += node.all_input_nodes
    return [node for node in next(iter(given)).graph.nodes if node in needed]


def _compiled(
    constants: GraphModule, nodes: Sequence[Node], inputs: Sequence[Node], outputs: Any
) -> Callable[..., Any]:
    """A function from the values of the input nodes to those of the outputs, by way of `nodes`."""
    graph = Graph()
    copies = {node: graph.placeholder(f"given_{number}") for number, node in enumerate(inputs)}
    for node in nodes:
        copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(map_arg(outputs, copies.__getitem__))
    return GraphModule(constants, graph).forward
