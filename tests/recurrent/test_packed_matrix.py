"""Products with a packed matrix are the same as without packing."""

from __future__ import annotations

import pytest
import torch

from seqtrans.recurrent import packed_matrix
from seqtrans.recurrent.packed_matrix import PackedMatrix
from seqtrans.recurrent.packing import packing_works
from tests.recurrent.running import make_cell, make_data, outputs_and_gradients


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02), (torch.float64, 1e-12)]
)
@pytest.mark.parametrize("shape", [(3, 5, 4), (64, 256, 512), (65, 512, 300)])
@pytest.mark.parametrize("turned", [False, True])
def test_products(dtype: torch.dtype, tolerance: float, shape: tuple[int, int, int], turned: bool) -> None:
    rows, width, height = shape
    torch.default_generator.manual_seed(1)
    matrix = (torch.randn(width, height).t() if turned else torch.randn(height, width)).to(dtype) / width**0.5
    inputs, added = torch.randn(rows, width).to(dtype), torch.randn(2, rows, 2 * height).to(dtype)[1, :, height:]
    made = PackedMatrix(matrix, rows)
    worthwhile = rows * height * width >= packed_matrix.WORTHWHILE
    assert (made.packed is not None) == (worthwhile and packed_matrix._has_layout(dtype))
    plain = inputs @ matrix.t()
    torch.testing.assert_close(made.times(inputs), plain, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(made.times(inputs, added), plain + added, rtol=tolerance, atol=2 * tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
def test_what_a_search_packs_a_training_packs_too(dtype: torch.dtype) -> None:
    assert packed_matrix._has_layout(dtype) == packing_works(dtype)


@pytest.mark.parametrize("name", ["gru", "gru-reset-after", "lstm-peephole"])
def test_a_cell_is_the_same_with_packed_matrices_and_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = make_cell(name, torch.float32)
    inputs, state = make_data(cell, 5, torch.float32)
    found = []
    for worthwhile in (1, 2**60):
        monkeypatch.setattr(packed_matrix, "WORTHWHILE", worthwhile)
        found.append(outputs_and_gradients(cell, cell.sequence, inputs, state))
    for key, tensor in found[0].items():
        torch.testing.assert_close(tensor, found[1][key], rtol=1e-5, atol=1e-5)
