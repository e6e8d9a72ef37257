"""Operations on lists of tensors, with torch's functions for lists and without them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seqtrans.training import foreach

OPERATIONS: dict[str, Callable[[list[Tensor], list[Tensor]], object]] = {
    "lerp_": lambda tensors, others: foreach.interpolate_(tensors, others, 0.3),
    "copy_": foreach.copy_,
    "clamp_min_": lambda tensors, _: foreach.clamp_(tensors, 0.5),
    "clamp_max_": lambda tensors, _: foreach.clamp_(tensors, 0.5),
    "mul_": lambda tensors, _: foreach.scale_(tensors, 0.7),
    "norm": lambda tensors, _: tensors.append(torch.stack(foreach.norms(tensors))),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_without_the_function_for_lists_it_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(1)
    first, others = ([torch.randn(shape, generator=generator) for shape in ((3,), (2, 4))] for _ in range(2))
    results = []
    for taken_away in (False, True):
        if taken_away:
            monkeypatch.delattr(torch, f"_foreach_{name}")
        tensors = [tensor.clone() for tensor in first]
        OPERATIONS[name](tensors, others)
        results.append(tensors)
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)
    assert name == "norm" or not torch.equal(results[0][0], first[0])
