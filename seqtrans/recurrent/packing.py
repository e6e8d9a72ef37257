"""Weights laid out as the library multiplies them, once, for products that come again at every step of a search.

Left as they are, oneDNN lays them out anew in each product, and fp32 products do not go through it at all: with few
rows that is most of their time. What this needs has no public name in torch; where it is missing, or does not give
the right numbers, products are what they were.

Shapes: N rows, I inputs, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

_ROWS = 64
"""A hint for the layout, which is the same for all numbers of rows that were tried."""

Multiply = Callable[[Tensor], Tensor]


class PackedWeights:
    """Weights that do not change while this lives, each packed when it is first multiplied with."""

    def __init__(self) -> None:
        self._packed: dict[tuple[object, ...], tuple[Tensor, Tensor | None, Multiply]] = {}

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """`F.linear`, with the type that autocast would give."""
        dtype = weight.dtype
        if torch.is_autocast_enabled("cpu") and dtype == torch.float32:
            dtype = torch.get_autocast_dtype("cpu")
        if weight.device.type != "cpu" or dtype not in (torch.float32, torch.bfloat16) or not _works(dtype):
            return F.linear(inputs, weight, bias)
        key = (weight.data_ptr(), weight.shape, weight.stride(), dtype, bias is None)
        if key not in self._packed:
            # the weight is kept, so that nothing else comes to lie at its address
            self._packed[key] = weight, bias, _pack(weight.to(dtype), None if bias is None else bias.to(dtype))
        return self._packed[key][2](inputs.to(dtype))


def _pack(weight: Tensor, bias: Tensor | None) -> Multiply:
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), _ROWS)
    bias = None if bias is None else bias.detach()

    def multiply(inputs: Tensor) -> Tensor:
        outputs: Tensor = torch.ops.mkldnn._linear_pointwise(inputs.contiguous(), packed, bias, "none", [], "")
        return outputs

    return multiply


@cache
def _works(dtype: torch.dtype) -> bool:
    """Whether packed products are there and right."""
    torch_random = torch.Generator().manual_seed(1)
    inputs, weight, bias = (torch.randn(*shape, generator=torch_random) for shape in ((3, 40), (24, 40), (24,)))
    try:
        with torch.autocast("cpu", enabled=False):
            found = _pack(weight.to(dtype), bias.to(dtype))(inputs.to(dtype))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
    error = (found.float() - F.linear(inputs.to(dtype).float(), weight.to(dtype).float(), bias)).abs().max()
    return bool(error < (1e-3 if dtype == torch.float32 else 0.2))
