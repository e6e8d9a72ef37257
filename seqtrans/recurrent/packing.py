"""Weights in the layout that oneDNN multiplies with, made once for the products of all steps of a search.

Otherwise oneDNN makes that layout anew in each product, and fp32 products do not go through it at all: with few rows
that is most of their time. The functions for this are private in torch; where one is missing, or its results are
wrong, products are computed as usual.

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
"""A hint for the layout; all numbers of rows that were tried give the same layout."""

_ERRORS = {torch.float32: 1e-4, torch.bfloat16: 0.2, torch.int8: 0.4}
"""The largest error of a right result: of sums of 40 products of standard normal numbers."""

_ENGINE = Lock()
"""Packing for int8 changes, for a moment, what torch uses in all threads."""

Multiply = Callable[[Tensor], Tensor]


class PackedWeights:
    """Weights that do not change while this lives, each packed when it is first multiplied with."""

    def __init__(self, int8: bool = False) -> None:
        """With `int8`, products are of 8-bit integers where the library has them: weights scaled row by row, inputs
        as a whole at each product.
        """
        self.int8 = int8
        self._packed: dict[tuple[object, ...], tuple[Tensor, Tensor | None, Multiply]] = {}

    def linear(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """`F.linear`, with the type that autocast would give."""
        dtype = weight.dtype
        if torch.is_autocast_enabled("cpu") and dtype == torch.float32:
            dtype = torch.get_autocast_dtype("cpu")
        if self.int8:
            dtype = torch.int8
        # the result of a computation is another tensor at each step: it is not packed
        is_parameter = isinstance(weight, nn.Parameter) or isinstance(getattr(weight, "_base", None), nn.Parameter)
        if not is_parameter or weight.device.type != "cpu" or weight.dtype != torch.float32 or not packs(dtype):
            return F.linear(inputs, weight, bias)
        key = (weight.data_ptr(), weight.shape, weight.stride(), dtype, bias is None)
        if key not in self._packed:
            # the weight is kept, so that nothing else comes to lie at its address
            self._packed[key] = weight, bias, _pack(weight.detach(), None if bias is None else bias.detach(), dtype)
        return self._packed[key][2](inputs)


def _pack(weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Multiply:
    """A function that multiplies with a weight in 32 bits."""
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
        # without these instructions sums of two products overflow 16 bits, unless inputs keep to 7
        outputs: Tensor = torch.ops.quantized.linear_dynamic(inputs.float().contiguous(), packed, not _has_vnni())
        return outputs

    return multiply


@cache
def _has_vnni() -> bool:
    probe = getattr(torch.cpu, "_is_vnni_supported", None)
    return probe is not None and bool(probe())


@cache
def packs(dtype: torch.dtype) -> bool:
    """Whether packed products of this type are there and right."""
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
