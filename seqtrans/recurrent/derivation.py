"""A function and its derivative as two flat lists of operations.

Autograd writes the backward pass once. After that both passes run without it, which costs half as much where the
tensors are as small as those of one step of a recurrence. What they compute they can put where it belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg

Function = Callable[[Sequence[Tensor]], Sequence[Tensor]]
Kept = tuple[Tensor, ...]
"""What the backward pass needs of the forward pass."""

_SAME = (torch.ops.aten.detach.default, torch.ops.aten.alias.default)
_VIEWS = (torch.ops.aten.view.default, torch.ops.aten._unsafe_view.default)


@dataclass(frozen=True)
class Passes:
    """Both lists, for tensors of certain shapes."""

    forward: Callable[..., tuple[tuple[Tensor, ...], Kept]]
    """What the function is given, one by one, and a place for its first result -> its results, and what to keep.

    The first result is what lies in the place, or equal to it.
    """
    backward: Callable[..., tuple[Tensor | None, ...]]
    """What was kept, then the gradients of the results, then the places -> the gradients that have no place.

    They are of what was given, one by one; None where there is none.
    """
    reached: tuple[bool, ...]
    """Whether what was given has a gradient, one by one. A place for one that has none is left as it is."""


class Derivation:
    """The `Passes` of a function, made when they are first needed for tensors of some shapes."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self._passes: dict[Any, Passes] = {}

    def of(self, given: Sequence[Tensor], placed: Collection[int]) -> Passes:
        """The passes for arguments like these, of which only shapes, type and device matter.

        `placed` tells by number which of them have a place for their gradient. Raises ValueError where the function
        writes into parts of a tensor.
        """
        key = given[0].device, given[0].dtype, tuple(tensor.shape for tensor in given), tuple(placed)
        if key not in self._passes:
            self._passes[key] = _derive(self.function, given, placed)
        return self._passes[key]


def _derive(function: Function, like: Sequence[Tensor], placed: Collection[int]) -> Passes:
    def joint(given: list[Tensor], above: list[Tensor]) -> list[Tensor | None]:
        results = function(given)
        return [*results, *torch.autograd.grad(results, given, above, allow_unused=True)]

    with torch.autocast(like[0].device.type, enabled=False), torch.enable_grad():
        given = [torch.zeros_like(tensor).requires_grad_() for tensor in like]
        above = [torch.zeros_like(result) for result in function(given)]
        traced = make_fx(joint)(given, above)
    graph = traced.graph
    _refuse_lost_writes(graph)
    for node in list(graph.nodes):
        scaled_by_one = node.target == torch.ops.aten.mul.Scalar and node.args[1] == 1
        if node.target in _SAME or scaled_by_one:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    of_given, of_above = inputs[: len(given)], inputs[len(given) :]
    (outputs,) = next(node for node in graph.nodes if node.op == "output").args
    results, gradients = outputs[: len(above)], outputs[len(above) :]
    known = _makings(results, of_given)
    later = _makings(gradients, [*known, *of_given, *of_above])
    used = [node for one in later for node in one.all_input_nodes] + [n for n in gradients if n is not None]
    kept = [node for node in dict.fromkeys(used) if node in known or node in of_given]
    rest = tuple(gradient for number, gradient in enumerate(gradients) if number not in placed)
    return Passes(
        _compiled(traced, known, of_given, (tuple(results), tuple(kept)), results[:1]),
        _compiled(traced, later, [*kept, *of_above], rest, [gradients[number] for number in placed], owned=rest),
        tuple(gradient is not None for gradient in gradients),
    )


def _refuse_lost_writes(graph: Graph) -> None:
    """A write into a tensor is told by its result: one into a part of it, or whose result nobody reads, is lost."""
    for node in graph.nodes:
        if isinstance(node.target, OpOverload) and node.target._schema.is_mutable:
            (written, *_) = node.all_input_nodes
            if not node.users or (isinstance(written.target, OpOverload) and written.target.is_view):
                raise ValueError(f"{node.target.__name__}: a cell's functions make new tensors, and write into none")


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
    constants: GraphModule,
    nodes: Sequence[Node],
    inputs: Sequence[Node],
    outputs: Any,
    placed: Sequence[Node | None],
    owned: Collection[Node | None] = (),
) -> Callable[..., Any]:
    """A function from the values of the input nodes, and the places of those `placed`, to those of the outputs.

    What is `owned`, or seen in another shape, is only copied to its place, so that whoever adds to the place does not
    change it. Of two places for one node the second gets a copy.
    """
    graph = Graph()
    copies = {node: graph.placeholder(f"given_{number}") for number, node in enumerate(inputs)}
    places = [graph.placeholder(f"place_{number}") for number in range(len(placed))]
    wanted = [(node, place) for node, place in zip(placed, places, strict=True) if node is not None]
    first = {node: place for node, place in reversed(wanted) if node not in owned and not _is_viewed(node)}
    for node in nodes:
        copies[node] = copy = graph.node_copy(node, copies.__getitem__)
        if isinstance(node.target, OpOverload):
            copy.target, out = _calls(node.target, node in first)
            if out:
                copy.kwargs = {**copy.kwargs, out: first[node]}
                wanted.remove((node, first[node]))
    for node, place in wanted:
        graph.call_method("copy_", (place, copies[node]))
    graph.output(map_arg(outputs, copies.__getitem__))
    return GraphModule(constants, graph).forward


def _is_viewed(node: Node) -> bool:
    """Whether some operation takes another view of the node's memory."""
    operations = [user.target for user in node.users]
    return any(isinstance(one, OpOverload) and (one.is_view or one in _VIEWS) for one in operations)


def _calls(operation: OpOverload, placed: bool) -> tuple[Callable[..., Any], str]:
    """The quickest way to call an operation, and the name of its argument for a place, if it has and needs one.

    What torch offers under a name of its own costs half as much to call as the same by `torch.ops`.
    """
    if operation in _VIEWS:  # those were seen on tensors in one piece, which others may not be
        return torch.reshape, ""
    packet = operation.overloadpacket
    direct = getattr(torch._C._VariableFunctions, packet.__name__, None) if operation.namespace == "aten" else None
    if direct is not getattr(torch, packet.__name__, None):  # a graph's code calls it so
        direct = None
    if not placed:
        return direct or operation, ""
    for overload in (getattr(packet, name) for name in packet.overloads()):
        given = [(argument.name, str(argument.type)) for argument in operation._schema.arguments]
        places = [argument.name for argument in overload._schema.arguments if argument.is_out]
        others = [(a.name, str(a.type)) for a in overload._schema.arguments if not a.is_out]
        generated = torch.Tag.generated in overload.tags  # one that only copies, and that torch's own name lacks
        if len(places) == 1 and others == given and not generated:
            return (direct if direct and places == ["out"] else overload), places[0]
    return direct or operation, ""
