"""Products with packed weights are the same as without packing."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from seqtrans.device import choose_compute
from seqtrans.recurrent.packing import PackedWeights, packing_works
from seqtrans.recurrent.products import linear, packed_weights

ERRORS = {torch.float32: 1e-5, torch.bfloat16: 2e-2, torch.int8: 4e-2}
"""Of products whose sums are about 1, in the mean."""


@pytest.mark.parametrize("dtype", ERRORS, ids=str)
@pytest.mark.parametrize("rows", [1, 5, 64, 321])
@pytest.mark.parametrize("biased", [False, True])
def test_they_are_as_exact_as_their_type(dtype: torch.dtype, rows: int, biased: bool) -> None:
    torch.default_generator.manual_seed(rows)
    inputs, whole = torch.randn(rows, 48), nn.Parameter(torch.randn(40, 96) / 48**0.5)
    bias = torch.randn(40) if biased else None
    packed = PackedWeights(int8=dtype == torch.int8)
    for weight in (whole[:, :48], whole[:, 48:], whole[:24, 48:]):  # parts of matrices are multiplied too
        added = None if bias is None else bias[: len(weight)]
        with torch.no_grad(), packed_weights(packed), torch.autocast("cpu", enabled=dtype == torch.bfloat16):
            found = [linear(inputs, weight, added) for _ in range(2)]
            deep = linear(inputs.expand(3, rows, 48), weight, added)
        expected = F.linear(inputs, weight, added)
        assert (found[0].float() - expected).abs().mean() < ERRORS[dtype]
        assert torch.equal(found[0], found[1])
        assert found[0].dtype == (torch.bfloat16 if dtype == torch.bfloat16 else torch.float32)
        assert deep.shape == (3, rows, len(weight))
        assert (deep.float() - expected).abs().mean() < ERRORS[dtype]


def test_a_weight_is_packed_once_and_its_parts_by_themselves() -> None:
    packed, weight = PackedWeights(), nn.Parameter(torch.randn(8, 6))
    with torch.no_grad():
        for part in (weight, weight, weight[:4], weight[4:], weight[:, :3]):
            torch.testing.assert_close(
                packed.linear(torch.ones(2, part.shape[1]), part, None), torch.ones(2, part.shape[1]) @ part.mT
            )
    assert len(packed._packed) == 4 * packing_works(torch.float32)


def test_what_is_differentiated_is_not_packed() -> None:
    packed, weight = PackedWeights(), nn.Parameter(torch.randn(4, 3))
    with packed_weights(packed):
        linear(torch.ones(2, 3), weight).sum().backward()
    torch.testing.assert_close(weight.grad, torch.full((4, 3), 2.0))
    assert not packed._packed


def test_what_is_computed_at_each_step_is_not_kept() -> None:
    packed, weight = PackedWeights(), nn.Parameter(torch.randn(8, 6))
    with torch.no_grad():
        for _ in range(3):
            packed.linear(torch.ones(2, 6), weight * 2, None)
    assert not packed._packed


def test_64_bits_stay_64_bits() -> None:
    packed, weight = PackedWeights(), nn.Parameter(torch.randn(4, 3, dtype=torch.float64))
    with torch.no_grad(), packed_weights(packed):
        assert linear(torch.ones(2, 3, dtype=torch.float64), weight).dtype == torch.float64
    assert not packed._packed


def test_this_machine_packs_what_it_multiplies() -> None:
    if torch.backends.mkldnn.is_available():
        assert packing_works(torch.float32)
    if "onednn" in torch.backends.quantized.supported_engines:
        assert packing_works(torch.int8)
    if choose_compute("cpu", "auto").dtype == torch.bfloat16:
        assert packing_works(torch.bfloat16)
