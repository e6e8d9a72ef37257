"""The chunked cross-entropy against the library's, values and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.text.batches import make_batch
from seqtrans.text.corpus import EncodedCorpus
from seqtrans.training.objective import PREDICTIONS_AT_ONCE, batch_loss, cross_entropy

UNITS, VOCAB = 7, 13

smoothings = pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])


def make_data(count: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.default_generator.manual_seed(81)
    readouts, weight, bias = (
        torch.randn(*shape, dtype=dtype, requires_grad=True) for shape in ((count, UNITS), (VOCAB, UNITS), (VOCAB,))
    )
    return readouts, weight, bias, torch.randint(VOCAB, (count,))


@smoothings
@pytest.mark.parametrize("count", [1, 5, PREDICTIONS_AT_ONCE, PREDICTIONS_AT_ONCE + 1, 3 * PREDICTIONS_AT_ONCE - 7])
def test_values_and_gradients_are_those_of_torch(count: int, smoothing: float) -> None:
    *leaves, targets = make_data(count)
    readouts, weight, bias = leaves
    smoothed, plain = cross_entropy(readouts, weight, bias, targets, smoothing)
    scores = F.linear(readouts, weight, bias)
    expected = F.cross_entropy(scores, targets, label_smoothing=smoothing, reduction="sum")
    torch.testing.assert_close(smoothed, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(plain, F.cross_entropy(scores, targets, reduction="sum"), rtol=1e-12, atol=1e-12)
    found = torch.autograd.grad(smoothed * 0.37, leaves)  # whatever comes after it scales the gradient
    wanted = torch.autograd.grad(expected * 0.37, leaves)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


@smoothings
def test_gradients_are_those_of_finite_differences(smoothing: float) -> None:
    *leaves, targets = make_data(4)
    assert torch.autograd.gradcheck(lambda r, w, b: cross_entropy(r, w, b, targets, smoothing)[0], leaves)


@pytest.mark.parametrize("scale", [1e3, 1e5])
def test_large_scores_stay_finite(scale: float) -> None:
    readouts, weight, bias, targets = make_data(9, torch.float32)
    smoothed, plain = cross_entropy(readouts * scale, weight, bias, targets, 0.1)
    gradients = torch.autograd.grad(smoothed, [readouts, weight, bias])
    assert torch.isfinite(torch.stack([smoothed, plain])).all()
    assert all(torch.isfinite(g).all() for g in gradients)
    expected = F.cross_entropy(F.linear(readouts * scale, weight, bias), targets, reduction="sum")
    torch.testing.assert_close(plain, expected)


def test_the_plain_loss_cannot_be_differentiated_and_none_is_needed_for_evaluation() -> None:
    readouts, weight, bias, targets = make_data(9)
    _, plain = cross_entropy(readouts, weight, bias, targets, 0.1)
    assert not plain.requires_grad
    with torch.inference_mode():
        smoothed, again = cross_entropy(readouts, weight, bias, targets, 0.1)
    assert not smoothed.requires_grad
    assert torch.equal(again, plain)


def test_no_predictions_cost_nothing() -> None:
    readouts, weight, bias, targets = make_data(0)
    smoothed, plain = cross_entropy(readouts, weight, bias, targets, 0.1)
    assert smoothed.item() == plain.item() == 0
    assert all(not g.any() for g in torch.autograd.grad(smoothed, [readouts, weight, bias]))


@smoothings
def test_in_bfloat16_the_result_is_near_and_weight_gradients_are_in_32_bits(smoothing: float) -> None:
    readouts, weight, bias, targets = make_data(2 * PREDICTIONS_AT_ONCE + 3, torch.float32)
    low = readouts.detach().to(torch.bfloat16).requires_grad_()
    smoothed, plain = cross_entropy(low, weight, bias, targets, smoothing)
    exact, _ = cross_entropy(readouts, weight, bias, targets, smoothing)
    assert smoothed.dtype == plain.dtype == torch.float32
    assert smoothed.item() == pytest.approx(exact.item(), rel=0.01)
    found = torch.autograd.grad(smoothed, [low, weight, bias])
    expected = torch.autograd.grad(exact, [readouts, weight, bias])
    assert [g.dtype for g in found] == [torch.bfloat16, torch.float32, torch.float32]
    for one, other in zip(found, expected, strict=True):
        assert (one.float() - other).norm() < 0.03 * other.norm()


@smoothings
@pytest.mark.parametrize("sharpness", [3.0, 8.0, 20.0])
def test_in_bfloat16_confident_predictions_are_told_apart(sharpness: float, smoothing: float) -> None:
    """Where p is near 1, rounding it to 8 bits would make the loss 0 and turn gradients around."""
    torch.default_generator.manual_seed(3)
    targets = torch.randint(VOCAB, (40,))
    weight, bias = torch.eye(VOCAB, requires_grad=True), torch.zeros(VOCAB, requires_grad=True)
    readouts = (torch.eye(VOCAB)[targets] * sharpness).to(torch.bfloat16).requires_grad_()
    smoothed, plain = cross_entropy(readouts, weight, bias, targets, smoothing)
    scores = F.linear(readouts.float(), weight, bias)
    expected = F.cross_entropy(scores, targets, label_smoothing=smoothing, reduction="sum")
    assert plain.item() == pytest.approx(F.cross_entropy(scores, targets, reduction="sum").item(), rel=0.01)
    assert smoothed.item() == pytest.approx(expected.item(), rel=0.01)
    found = torch.autograd.grad(smoothed, [readouts, weight, bias])
    wanted = torch.autograd.grad(expected, [readouts, weight, bias])
    for one, other in zip(found, wanted, strict=True):
        assert (one.float() - other.float()).norm() < 0.01 * other.float().norm()


def test_a_batch_costs_what_its_sentences_cost_alone(corpus: EncodedCorpus, network: Seq2Seq) -> None:
    network = network.double().eval()
    pairs = torch.arange(9).numpy()
    parameters = list(network.parameters())
    together = batch_loss(network, make_batch(corpus, pairs), 0.1)
    alone = [batch_loss(network, make_batch(corpus, pairs[i : i + 1]), 0.1) for i in range(len(pairs))]
    for found, expected in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(found, torch.stack(expected).sum(), rtol=1e-11, atol=1e-11)
    gradients = torch.autograd.grad(together[0], parameters)
    each = [torch.autograd.grad(loss, parameters) for loss, _ in alone]
    for one, others in zip(gradients, zip(*each, strict=True), strict=True):
        torch.testing.assert_close(one, torch.stack(others).sum(0), rtol=1e-10, atol=1e-10)
