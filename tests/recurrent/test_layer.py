"""A layer over a padded batch: padding changes nothing, not even gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from seqtrans.recurrent.cells import cell_names, find_cell
from seqtrans.recurrent.layer import BidirectionalLayer, reversal_index, reverse

INPUTS, HIDDEN = 4, 6
LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=5)

cells = pytest.mark.parametrize("cell", cell_names())


def make_layer(cell: str, *, mixed: bool = False) -> BidirectionalLayer:
    torch.default_generator.manual_seed(5)
    layer = BidirectionalLayer(find_cell(cell), INPUTS, HIDDEN, mixed=mixed).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.6)
    return layer


def run(layer: BidirectionalLayer, inputs: Tensor, lengths: list[int]) -> Tensor:
    outputs: Tensor = layer(inputs, reversal_index(torch.tensor(lengths), len(inputs)))
    return outputs


@settings(deadline=None, max_examples=30)
@given(LENGTHS, st.integers(0, 3))
def test_reversal_turns_each_sequence_around_and_is_its_own_inverse(lengths: list[int], extra: int) -> None:
    steps, batch = max(lengths) + extra, len(lengths)
    index = reversal_index(torch.tensor(lengths), steps)
    sequence = torch.arange(steps * batch).view(steps, batch)
    turned = reverse(sequence.unsqueeze(2), index).squeeze(2)
    for b, length in enumerate(lengths):
        column = sequence[:, b].tolist()
        assert turned[:, b].tolist() == column[:length][::-1] + column[length:]
    assert torch.equal(index.flatten()[index.flatten()], torch.arange(steps * batch))
    assert torch.equal(reverse(turned.unsqueeze(2), index).squeeze(2), sequence)


def test_gradients_of_reverse() -> None:
    index = reversal_index(torch.tensor([3, 1, 4]), 5)
    sequence = torch.randn(5, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: reverse(s, index), (sequence,))


def test_mixed_directions_go_through_a_linear_map() -> None:
    """The same cells, with and without it."""
    plain, mixed = make_layer("gru"), make_layer("gru", mixed=True)
    mixed.load_state_dict(plain.state_dict(), strict=False)
    assert mixed.mix is not None
    inputs = torch.randn(5, 2, INPUTS, dtype=torch.float64)
    expected = run(plain, inputs, [5, 3]) @ mixed.mix.weight.T + mixed.mix.bias
    torch.testing.assert_close(run(mixed, inputs, [5, 3]), expected, rtol=1e-12, atol=1e-12)


@cells
@pytest.mark.parametrize("mixed", [False, True])
def test_a_padded_batch_is_each_sentence_alone(cell: str, mixed: bool) -> None:
    layer = make_layer(cell, mixed=mixed)
    lengths = [4, 1, 6, 3]
    torch.default_generator.manual_seed(6)
    inputs = torch.randn(8, len(lengths), INPUTS, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(8, len(lengths), HIDDEN, dtype=torch.float64)

    outputs = run(layer, inputs, lengths)
    loss = sum((outputs[:length, b] * weights[:length, b]).sum() for b, length in enumerate(lengths))
    assert isinstance(loss, Tensor)
    batched = torch.autograd.grad(loss, [inputs, *layer.parameters()])

    expected = [torch.zeros_like(g) for g in batched]
    for b, length in enumerate(lengths):
        alone = inputs.detach()[:length, b : b + 1].clone().requires_grad_()
        found = run(layer, alone, [length])
        torch.testing.assert_close(outputs[:length, b], found[:, 0], rtol=1e-12, atol=1e-12)
        one = torch.autograd.grad((found[:, 0] * weights[:length, b]).sum(), [alone, *layer.parameters()])
        expected[0][:length, b] = one[0][:, 0]
        for total, gradient in zip(expected[1:], one[1:], strict=True):
            total += gradient
    for found_gradient, wanted in zip(batched, expected, strict=True):
        torch.testing.assert_close(found_gradient, wanted, rtol=1e-12, atol=1e-12)


@cells
def test_what_stands_in_the_padding_does_not_matter(cell: str) -> None:
    layer = make_layer(cell)
    lengths = [2, 5]
    inputs = torch.randn(5, 2, INPUTS, dtype=torch.float64)
    other = inputs.clone()
    other[2:, 0] = 1e6
    found, expected = run(layer, other, lengths), run(layer, inputs, lengths)
    assert torch.equal(found[:2, 0], expected[:2, 0])
    assert torch.equal(found[:, 1], expected[:, 1])


@cells
def test_both_directions_see_what_they_should(cell: str) -> None:
    """A change at step 2 reaches forward outputs from there on, and backward outputs up to there."""
    layer = make_layer(cell)
    inputs = torch.randn(5, 1, INPUTS, dtype=torch.float64)
    other = inputs.clone()
    other[2] += 1
    changed = (run(layer, other, [5]) != run(layer, inputs, [5]))[:, 0]
    ahead, back = changed[:, : HIDDEN // 2].any(1).tolist(), changed[:, HIDDEN // 2 :].any(1).tolist()
    assert ahead == [False, False, True, True, True]
    assert back == [True, True, True, False, False]


def test_an_odd_number_of_units_is_refused() -> None:
    with pytest.raises(ValueError, match="even number of units, not 7"):
        BidirectionalLayer(find_cell("lstm"), 4, 7)
