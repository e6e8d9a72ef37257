"""Packed weights: in the memory layout that oneDNN needs, made once for the products of all steps of a search.

Without packing, oneDNN makes that layout anew in each product, which takes most of the time if there are few rows, and
float32 products do not use oneDNN at all. Torch's functions for packing are private; if one is missing or gives wrong
results, products are computed as usual.

Shapes: N rows, I inputs, O outputs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from threading import Lock

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_ROWS = 64
"""The number of rows for which oneDNN chooses the layout; it chose the same for all numbers that were tried."""

_ERRORS = {torch.float32: 1e-4, torch.bfloat16: 0.2, torch.int8: 0.4}
"""The largest error that `packing_works` accepts, in sums of 40 products of standard normal numbers."""

_ENGINE = Lock()
"""Held while packing for int8, which for a moment changes a setting of torch for all threads."""

Multiply = Callable[[Tensor], Tensor]


class PackedWeights:
    """Weights, each packed at its first product. They must not change while this object is used."""

    def __init__(self, int8: bool = False) -> None:
        """With `int8`, products use 8-bit integers if torch has such products.

        Weights are then rounded with one scale per row, and inputs with one scale per product.
        """
        self.int8 = int8
        self._packed: dict[tuple[object, ...], tuple[Tensor, Tensor | None, Multiply]] = {}

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """`F.linear`, with the result type that autocast would give it."""
        dtype = weight.dtype
        if torch.is_autocast_enabled("cpu") and dtype == torch.float32:
            dtype = torch.get_autocast_dtype("cpu")
        if self.int8:
            dtype = torch.int8
        # the result of a computation is another tensor at each step, so only parameters and views of them are packed
        is_parameter = isinstance(weight, nn.Parameter) or isinstance(getattr(weight, "_base", None), nn.Parameter)
        if not is_parameter or weight.device.type != "cpu" or weight.dtype != torch.float32 or not packing_works(dtype):
            return F.linear(inputs, weight, bias)
        key = (weight.data_ptr(), weight.shape, weight.stride(), dtype, bias is None)
        if key not in self._packed:
            # the weight is kept, so that no other tensor gets its address
            self._packed[key] = weight, bias, _pack(weight.detach(), None if bias is None else bias.detach(), dtype)
        return self._packed[key][2](inputs)


def _pack(weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Multiply:
    """A function that multiplies inputs with a float32 weight in the type `dtype`, and adds the bias."""
    if dtype == torch.int8:
        return _pack_int8(weight, bias)
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype).contiguous(), _ROWS)
    added = None if bias is None else bias.to(dtype)

    def multiply(inputs: Tensor) -> Tensor:
        rows = inputs.to(dtype).contiguous()
        outputs: Tensor = torch.ops.mkldnn._linear_pointwise(rows, packed, added, "none", [], "")
        return outputs

    return multiply


def _pack_int8(weight: Tensor, bias: Tensor | None) -> Multiply:
    scales = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
    with _ENGINE:
        before, torch.backends.quantized.engine = torch.backends.quantized.engine, "onednn"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch recommends another package, which is not needed here
                rows = torch.quantize_per_channel(
                    weight.contiguous(), scales, torch.zeros(len(scales), dtype=torch.int64), 0, torch.qint8
                )
                packed = torch.ops.quantized.linear_prepack(rows, bias)
        finally:
            torch.backends.quantized.engine = before

    def multiply(inputs: Tensor) -> Tensor:
        # without VNNI instructions sums of two 8-bit products overflow 16 bits, unless inputs are limited to 7 bits
        outputs: Tensor = torch.ops.quantized.linear_dynamic(inputs.float().contiguous(), packed, not _has_vnni())
        return outputs

    return multiply


@cache
def _has_vnni() -> bool:
    probe = getattr(torch.cpu, "_is_vnni_supported", None)
    return probe is not None and bool(probe())


@cache
def packing_works(dtype: torch.dtype) -> bool:
    """Whether packed products of this type are available and correct."""
    if dtype not in _ERRORS or not torch.backends.mkldnn.is_available():
        return False
    torch_random = torch.Generator().manual_seed(1)
    inputs, weight, bias = (torch.randn(*shape, generator=torch_random) for shape in ((3, 40), (24, 40), (24,)))
    try:
        with torch.autocast("cpu", enabled=False):
            outputs = _pack(weight, bias, dtype)(inputs)
    except Exception:  # whatever a changed function does
        return False
    error = (outputs.float() - F.linear(inputs, weight, bias)).abs().max()
    return bool(error < _ERRORS[dtype])
