"""The forward and the backward pass of a function as two flat lists of operations.

Autograd writes the backward pass once. After that both passes run without it, which costs half as much where the
tensors are as small as those of one step of a recurrence. What they compute they can put into buffers.

This uses private and experimental functions of torch: import it only where `can_trace` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg

Function = Callable[[Sequence[Tensor]], Sequence[Tensor]]

_SAME = (torch.ops.aten.detach.default, torch.ops.aten.alias.default)
_VIEWS = (torch.ops.aten.view.default, torch.ops.aten._unsafe_view.default)


def trace(
    function: Function, like: Sequence[Tensor], buffered: Collection[int]
) -> tuple[Callable[..., Any], Callable[..., Any], tuple[bool, ...]]:
    """The parts of `Passes` of a function for arguments `like` these; see `TracedFunction.passes`."""

    def joint(arguments: list[Tensor], above: list[Tensor]) -> list[Tensor | None]:
        results = function(arguments)
        return [*results, *torch.autograd.grad(results, arguments, above, allow_unused=True)]

    with torch.autocast(like[0].device.type, enabled=False), torch.enable_grad():
        arguments = [torch.zeros_like(tensor).requires_grad_() for tensor in like]
        above = [torch.zeros_like(result) for result in function(arguments)]
        traced = make_fx(joint)(arguments, above)
    graph = traced.graph
    _refuse_lost_writes(graph)
    _remove_copies(graph)
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    of_arguments, of_above = inputs[: len(arguments)], inputs[len(arguments) :]
    (outputs,) = next(node for node in graph.nodes if node.op == "output").args
    results, gradients = outputs[: len(above)], outputs[len(above) :]
    forward = _ancestors(results, of_arguments)
    backward = _ancestors(gradients, [*forward, *of_arguments, *of_above])
    used = [node for one in backward for node in one.all_input_nodes] + [n for n in gradients if n is not None]
    saved = [node for node in dict.fromkeys(used) if node in forward or node in of_arguments]
    rest = tuple(gradient for number, gradient in enumerate(gradients) if number not in buffered)
    return (
        _compiled(traced, forward, of_arguments, (tuple(results), tuple(saved)), results[:1]),
        _compiled(traced, backward, [*saved, *of_above], rest, [gradients[number] for number in buffered], owned=rest),
        tuple(gradient is not None for gradient in gradients),
    )


def _refuse_lost_writes(graph: Graph) -> None:
    """Refuse a write into a part of a tensor, or whose result nobody reads: only results of operations are traced."""
    for node in graph.nodes:
        if isinstance(node.target, OpOverload) and node.target._schema.is_mutable:
            (written, *_) = node.all_input_nodes
            if not node.users or (isinstance(written.target, OpOverload) and written.target.is_view):
                raise ValueError(f"{node.target.__name__}: a cell's functions make new tensors, and write into none")


def _remove_copies(graph: Graph) -> None:
    """Remove operations that change nothing."""
    for node in list(graph.nodes):
        scaled_by_one = node.target == torch.ops.aten.mul.Scalar and node.args[1] == 1
        if node.target in _SAME or scaled_by_one:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)


def _ancestors(outputs: Iterable[Node | None], known: Sequence[Node]) -> list[Node]:
    """The nodes that are needed to compute the outputs from those that are known, in the graph's order."""
    needed: set[Node] = set()
    waiting = [node for node in outputs if node is not None]
    while waiting:
        node = waiting.pop()
        if node not in needed and node not in known:
            needed.add(node)
            waiting += node.all_input_nodes
    return [node for node in next(iter(known)).graph.nodes if node in needed]


def _compiled(
    constants: GraphModule,
    nodes: Sequence[Node],
    inputs: Sequence[Node],
    outputs: Any,
    buffered: Sequence[Node | None],
    owned: Collection[Node | None] = (),
) -> Callable[..., Any]:
    """A function from the values of the input nodes, and the buffers of those `buffered`, to those of the outputs.

    What is `owned`, or viewed in another shape, is only copied into its buffer, so that who adds to the buffer does
    not change it. Of two buffers for one node the second gets a copy.
    """
    graph = Graph()
    copies = {node: graph.placeholder(f"input_{number}") for number, node in enumerate(inputs)}
    buffers = [graph.placeholder(f"buffer_{number}") for number in range(len(buffered))]
    to_copy = [(node, buffer) for node, buffer in zip(buffered, buffers, strict=True) if node is not None]
    first = {node: buffer for node, buffer in reversed(to_copy) if node not in owned and not _is_viewed(node)}
    for node in nodes:
        copies[node] = copy = graph.node_copy(node, copies.__getitem__)
        if isinstance(node.target, OpOverload):
            copy.target, out = _quickest_call(node.target, node in first)
            if out:
                copy.kwargs = {**copy.kwargs, out: first[node]}
                to_copy.remove((node, first[node]))
    for node, buffer in to_copy:
        graph.call_method("copy_", (buffer, copies[node]))
    graph.output(map_arg(outputs, copies.__getitem__))
    return GraphModule(constants, graph).forward


def _is_viewed(node: Node) -> bool:
    """Whether some operation takes another view of the node's memory."""
    operations = [user.target for user in node.users]
    return any(isinstance(one, OpOverload) and (one.is_view or one in _VIEWS) for one in operations)


def _quickest_call(operation: OpOverload, buffered: bool) -> tuple[Callable[..., Any], str]:
    """The quickest way to call an operation, and the name of its argument for a buffer, if it has and needs one.

    What torch offers under a name of its own costs half as much to call as the same by `torch.ops`.
    """
    if operation in _VIEWS:  # those were seen on tensors in one piece, which others may not be
        return torch.reshape, ""
    packet = operation.overloadpacket
    named = getattr(torch._C, "_VariableFunctions", None) if operation.namespace == "aten" else None
    direct = getattr(named, packet.__name__, None)
    if direct is not getattr(torch, packet.__name__, None):  # a graph's code calls it by that name
        direct = None
    if not buffered:
        return direct or operation, ""
    inputs = [(argument.name, str(argument.type)) for argument in operation._schema.arguments]
    for overload in (getattr(packet, name) for name in packet.overloads()):
        outs = [argument.name for argument in overload._schema.arguments if argument.is_out]
        others = [(a.name, str(a.type)) for a in overload._schema.arguments if not a.is_out]
        generated = torch.Tag.generated in overload.tags  # one that only copies, and that torch's own name lacks
        if len(outs) == 1 and others == inputs and not generated:
            return (direct if direct and outs == ["out"] else overload), outs[0]
    return direct or operation, ""
