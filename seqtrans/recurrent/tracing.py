"""The forward and the backward pass of a function as two flat lists of operations.

Autograd derives the backward pass once. After that both passes run without autograd, which takes half the time if
tensors are as small as those of one step of a recurrence. Operations can write their results into buffers.

This uses private and experimental functions of torch: import it only if `can_trace` returns True.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._guards import TracingContext, tracing
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg

Function = Callable[[Sequence[Tensor]], Sequence[Tensor]]

_IDENTITIES = (torch.ops.aten.detach.default, torch.ops.aten.alias.default)
_VIEWS = (torch.ops.aten.view.default, torch.ops.aten._unsafe_view.default)


def trace(
    function: Function, like: Sequence[Tensor], buffered: Collection[int]
) -> tuple[Callable[..., Any], Callable[..., Any], tuple[bool, ...]]:
    """The three fields of `Passes`, for arguments with the shapes, type and device of `like`.

    See `TracedFunction.passes`.
    """

    def both_passes(arguments: list[Tensor], grad_outputs: list[Tensor]) -> list[Tensor | None]:
        results = function(arguments)
        return [*results, *torch.autograd.grad(results, arguments, grad_outputs, allow_unused=True)]

    with torch.autocast(like[0].device.type, enabled=False), torch.enable_grad():
        arguments = [torch.zeros_like(tensor).requires_grad_() for tensor in like]
        grad_outputs = [torch.zeros_like(result) for result in function(arguments)]
        # else torch makes a new fake mode for each operation, which takes as long as the rest
        with tracing(TracingContext(FakeTensorMode(allow_fallback_kernels=True))):
            traced = make_fx(both_passes)(arguments, grad_outputs)
    graph = traced.graph
    _refuse_lost_writes(graph)
    _remove_copies(graph)
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    argument_nodes, grad_nodes = inputs[: len(arguments)], inputs[len(arguments) :]
    (outputs,) = next(node for node in graph.nodes if node.op == "output").args
    results, gradients = outputs[: len(grad_outputs)], outputs[len(grad_outputs) :]
    forward = _ancestors(results, argument_nodes)
    backward = _ancestors(gradients, [*forward, *argument_nodes, *grad_nodes])
    used = [node for one in backward for node in one.all_input_nodes] + [n for n in gradients if n is not None]
    saved = [node for node in dict.fromkeys(used) if node in forward or node in argument_nodes]
    returned = tuple(gradient for number, gradient in enumerate(gradients) if number not in buffered)
    in_buffers = [gradients[number] for number in buffered]
    return (
        _compiled(traced, forward, argument_nodes, (tuple(results), tuple(saved)), results[:1]),
        _compiled(traced, backward, [*saved, *grad_nodes], returned, in_buffers, to_copy_only=returned),
        tuple(gradient is not None for gradient in gradients),
    )


def _refuse_lost_writes(graph: Graph) -> None:
    """Raise ValueError for a write into a part of a tensor, or a write whose result is not used: a trace loses both."""
    for node in graph.nodes:
        if isinstance(node.target, OpOverload) and node.target._schema.is_mutable:
            (written, *_) = node.all_input_nodes
            if not node.users or (isinstance(written.target, OpOverload) and written.target.is_view):
                raise ValueError(f"{node.target.__name__}: a cell's functions make new tensors, and write into none")


def _remove_copies(graph: Graph) -> None:
    """Remove operations that change nothing."""
    for node in list(graph.nodes):
        scaled_by_one = node.target == torch.ops.aten.mul.Scalar and node.args[1] == 1
        if node.target in _IDENTITIES or scaled_by_one:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)


def _ancestors(outputs: Iterable[Node | None], known: Sequence[Node]) -> list[Node]:
    """The nodes that compute the outputs from the known nodes, in the graph's order."""
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
    to_copy_only: Collection[Node | None] = (),
) -> Callable[..., Any]:
    """A function from the values of `inputs`, then a buffer for each node of `buffered`, to the values of `outputs`.

    The operation of a node in `buffered` writes its result into the buffer, if it can; if not, the result is copied.
    It is also copied if the node is in `to_copy_only` or has a view, which must not change when a caller adds to the
    buffer. A node with two buffers is copied into the second.
    """
    graph = Graph()
    copies = {node: graph.placeholder(f"input_{number}") for number, node in enumerate(inputs)}
    buffers = [graph.placeholder(f"buffer_{number}") for number in range(len(buffered))]
    to_copy = [(node, buffer) for node, buffer in zip(buffered, buffers, strict=True) if node is not None]
    writable = [(node, buffer) for node, buffer in to_copy if node not in to_copy_only and not _is_viewed(node)]
    out_buffers = dict(reversed(writable))  # the first buffer of each node
    for node in nodes:
        copies[node] = copy = graph.node_copy(node, copies.__getitem__)
        if isinstance(node.target, OpOverload):
            copy.target, out = _fastest_call(node.target, node in out_buffers)
            if out:
                copy.kwargs = {**copy.kwargs, out: out_buffers[node]}
                to_copy.remove((node, out_buffers[node]))
    for node, buffer in to_copy:
        graph.call_method("copy_", (buffer, copies[node]))
    graph.output(map_arg(outputs, copies.__getitem__))
    return GraphModule(constants, graph).forward


def _is_viewed(node: Node) -> bool:
    """Whether some operation makes a view of the node's value."""
    operations = [user.target for user in node.users]
    return any(isinstance(one, OpOverload) and (one.is_view or one in _VIEWS) for one in operations)


def _fastest_call(operation: OpOverload, buffered: bool) -> tuple[Callable[..., Any], str]:
    """The fastest way to call an operation. If it is `buffered`, also the name of its argument for the buffer, or "".

    The call of a function `torch.NAME` takes half as long as that of the same operation in `torch.ops`.
    """
    if operation in _VIEWS:  # traced with contiguous tensors, but others may not be contiguous
        return torch.reshape, ""
    packet = operation.overloadpacket
    named = getattr(torch._C, "_VariableFunctions", None) if operation.namespace == "aten" else None
    direct = getattr(named, packet.__name__, None)
    if direct is not getattr(torch, packet.__name__, None):  # the graph's code calls it as `torch.NAME`
        direct = None
    if not buffered:
        return direct or operation, ""
    inputs = [(argument.name, str(argument.type)) for argument in operation._schema.arguments]
    for overload in (getattr(packet, name) for name in packet.overloads()):
        outs = [argument.name for argument in overload._schema.arguments if argument.is_out]
        others = [(a.name, str(a.type)) for a in overload._schema.arguments if not a.is_out]
        generated = torch.Tag.generated in overload.tags  # it only copies, and `torch.NAME` does not have it
        if len(outs) == 1 and others == inputs and not generated:
            return (direct if direct and outs == ["out"] else overload), outs[0]
    return direct or operation, ""
