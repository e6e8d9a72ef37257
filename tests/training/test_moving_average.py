"""The moving average of the weights, and lending it to the network."""

from __future__ import annotations

import pytest
import torch

from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.training.moving_average import STRIDE, MovingAverage


def wander(network: Seq2Seq) -> None:
    """Something like an update."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.998])
def test_the_average_is_the_plain_formula(network: Seq2Seq, decay: float) -> None:
    network.double()
    average = MovingAverage(network, decay)
    for step in range(1, STRIDE + 1):
        wander(network)
        average.update(step)
    expected = {name: t.clone() for name, t in average.weights().items()}
    for step in range(STRIDE + 1, 12 * STRIDE + 3):
        wander(network)
        average.update(step)
        if step % STRIDE == 0:
            keep = min(decay, (1 + step) / (10 + step)) ** STRIDE
            for name, parameter in network.named_parameters():
                expected[name] = keep * expected[name] + (1 - keep) * parameter.detach()
        for name, tensor in average.weights().items():
            torch.testing.assert_close(tensor, expected[name], rtol=1e-12, atol=1e-12)


def test_the_first_weights_are_soon_forgotten(network: Seq2Seq) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(100)
    average = MovingAverage(network, 0.998)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1)
    for step in range(1, 3 * STRIDE + 1):
        average.update(step)
    assert all((t - 1).abs().max() < 0.01 for t in average.weights().values())


def test_weights_that_stand_still_are_their_average(network: Seq2Seq) -> None:
    average = MovingAverage(network, 0.99)
    for step in range(1, 50):
        average.update(step)
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(average.weights()[name], parameter.detach())


def test_a_short_training_has_an_average_of_what_it_trained(network: Seq2Seq) -> None:
    """Fewer updates than the stride must not leave the random first weights as the result."""
    first = {name: p.detach().clone() for name, p in network.named_parameters()}
    average = MovingAverage(network, 0.998)
    for step in range(1, STRIDE - 1):
        wander(network)
        average.update(step)
    for name, tensor in average.weights().items():
        assert not torch.equal(tensor, first[name]), f"{name} is as random as it began"


def test_lending_gives_the_average_inside_and_the_own_weights_after(network: Seq2Seq) -> None:
    average = MovingAverage(network, 0.9)
    for step in range(1, 2 * STRIDE):
        wander(network)
        average.update(step)
    own = {name: p.detach().clone() for name, p in network.named_parameters()}
    lent = {name: t.clone() for name, t in average.weights().items()}

    def check(expected: dict[str, torch.Tensor]) -> None:
        assert all(torch.equal(p, expected[name]) for name, p in network.named_parameters())

    with average.applied():
        check(lent)
        assert not torch.equal(lent["output_bias"], own["output_bias"])
        assert network.output_weight is network.target_embedding
    check(own)

    def fail() -> None:
        with average.applied():
            wander(network)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    check(own)
    assert all(torch.equal(t, lent[name]) for name, t in average.weights().items())


def test_a_decay_of_zero_is_no_average(network: Seq2Seq) -> None:
    average = MovingAverage(network, 0)
    for step in range(1, 2 * STRIDE + 1):
        wander(network)
        average.update(step)
        with average.applied():
            for name, parameter in network.named_parameters():
                assert torch.equal(average.weights()[name], parameter)
