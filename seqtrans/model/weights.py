"""The parameters and buffers of a network: read by name, compared, copied, and assigned to a network without values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """The parameters by name; one that two modules share is there once."""
    return dict(network.named_parameters())


def set_weights(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy `tensors` into the parameters, not the buffers, of a network; names and shapes must fit."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(tensors[name])


def stored_tensors(network: nn.Module) -> dict[str, Tensor]:
    """The parameters and buffers by name, each once: what a file holds of a network."""
    return {**weights_of(network), **dict(network.named_buffers())}


def first_mismatch(network: nn.Module, tensors: Mapping[str, Tensor]) -> str | None:
    """The first name at which `tensors` and a network's parameters and buffers differ in shape or type.

    A name that only one of them has counts too. None if they fit.
    """
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in stored_tensors(network).items()}
    actual = {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
    names = expected.keys() | actual.keys()
    return min((name for name in names if expected.get(name) != actual.get(name)), default=None)


def assign(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Make `tensors` the parameters and buffers of a network on the meta device; they must fit (see `first_mismatch`).

    Nothing is copied, and what modules share stays shared.
    """
    names = {id(placeholder): name for name, placeholder in stored_tensors(network).items()}
    parameters = {
        name: nn.Parameter(tensors[name], requires_grad=placeholder.requires_grad)
        for name, placeholder in network.named_parameters()
    }
    for module in network.modules():
        for key, placeholder in list(module.named_parameters(recurse=False, remove_duplicate=False)):
            setattr(module, key, parameters[names[id(placeholder)]])
        for key, buffer in list(module.named_buffers(recurse=False, remove_duplicate=False)):
            setattr(module, key, tensors[names[id(buffer)]])


def copy_into(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy `tensors`, which must fit, into the parameters and buffers of a network that has memory for them."""
    with torch.no_grad():
        for name, tensor in stored_tensors(network).items():
            tensor.copy_(tensors[name])


def first_meta_tensor(network: nn.Module) -> str | None:
    """The name of the first tensor on the meta device, be it a parameter, a buffer or another attribute of a module."""
    for path, module in network.named_modules():
        for key, value in vars(module).items():
            if any(tensor.is_meta for tensor in _tensors_in(value)):
                return f"{path}.{key}".removeprefix(".")
    return None


def _tensors_in(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors_in(item)
