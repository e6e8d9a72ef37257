"""One update: what changes the weights, and what must not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from seqtrans.config.schema import TrainingConfig
from seqtrans.device import Compute
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.text.batches import Batch, make_batch
from seqtrans.text.corpus import EncodedCorpus
from seqtrans.training.objective import batch_loss
from seqtrans.training.update import Updater
from seqtrans.training.validation import Validation, is_better

EXACT = Compute(torch.device("cpu"), torch.float32, "test")


@pytest.fixture
def batch(corpus: EncodedCorpus) -> Batch:
    return make_batch(corpus, np.arange(8))


def weights(network: Seq2Seq) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in network.named_parameters()}


def test_updates_bring_the_loss_down(network: Seq2Seq, batch: Batch) -> None:
    updater = Updater(network, TrainingConfig(), EXACT)
    losses = [updater.step(batch, number, 0.02, batch_loss).loss for number in range(1, 60)]
    assert losses[-1] < 0.6 * losses[0]


def test_an_update_follows_from_the_seed_and_its_number(network: Seq2Seq, batch: Batch) -> None:
    begin = weights(network)

    def after(seed: int, number: int) -> Tensor:
        network.load_state_dict(begin, strict=False)
        torch.default_generator.manual_seed(int(np.random.default_rng().integers(2**40)))
        Updater(network, TrainingConfig(seed=seed), EXACT).step(batch, number, 0.01, batch_loss)
        return network.output_bias.detach().clone()

    once = after(1, 1)
    assert torch.equal(once, after(1, 1))
    assert not torch.equal(once, after(2, 1))
    assert not torch.equal(once, after(1, 2))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_an_update_that_is_not_finite_changes_nothing(network: Seq2Seq, batch: Batch, bad: float) -> None:
    updater = Updater(network, TrainingConfig(), EXACT)
    assert updater.step(batch, 1, 0.01, batch_loss).is_finite()
    with torch.no_grad():
        network.output_bias[5] = bad
    before, average = weights(network), {n: t.clone() for n, t in updater.average.weights().items()}
    for number in range(2, 20):
        assert not updater.step(batch, number, 0.01, batch_loss).is_finite()
    after = weights(network)
    assert all(torch.equal(after[n].nan_to_num(), before[n].nan_to_num()) for n in before)
    assert all(torch.equal(t, average[n]) for n, t in updater.average.weights().items())


def test_clipping_bounds_the_gradient_and_zero_turns_it_off(network: Seq2Seq, batch: Batch) -> None:
    begin = weights(network)
    norms = {}
    for clip in (0.0, 0.01):
        network.load_state_dict(begin, strict=False)
        update = Updater(network, TrainingConfig(clip_norm=clip), EXACT).step(batch, 1, 0.0, batch_loss)
        squares = [float(p.grad.double().square().sum()) for p in network.parameters() if p.grad is not None]
        norms[clip] = (update.gradient_norm, sum(squares) ** 0.5)
    assert norms[0.0][0] == pytest.approx(norms[0.01][0], rel=1e-5)  # the norm told is that before clipping
    assert norms[0.0][1] == pytest.approx(norms[0.0][0], rel=1e-4)
    assert norms[0.01][1] == pytest.approx(0.01, rel=1e-3)


def found(loss: float, score: float, metric: str = "bleu") -> Validation:
    return Validation(loss, metric, score, [])


def test_what_counts_as_better() -> None:
    assert is_better(found(2.0, 10.0), None, None, "bleu")
    assert is_better(found(2.0, 10.0), 9.0, 1.0, "bleu")
    assert not is_better(found(2.0, 10.0), 11.0, 3.0, "bleu")
    assert is_better(found(2.0, 10.0), 2.5, 2.5, "loss")
    assert not is_better(found(2.0, 10.0), 1.5, 1.5, "loss")
    assert is_better(found(2.0, 10.0, "ter"), 20.0, 1.0, "ter")
    assert not is_better(found(2.0, 10.0, "ter"), 5.0, 3.0, "ter")


@pytest.mark.parametrize("metric", ["bleu", "ter"])
def test_of_equal_scores_the_lower_loss_is_better(metric: str) -> None:
    assert is_better(found(2.0, 0.0, metric), 0.0, 2.5, metric)
    assert not is_better(found(2.0, 0.0, metric), 0.0, 2.0, metric)
    assert not is_better(found(2.5, 0.0, metric), 0.0, 2.0, metric)


@pytest.mark.parametrize("best", [None, 1.0])
def test_what_is_not_a_number_is_never_better(best: float | None) -> None:
    nan = float("nan")
    assert not is_better(found(nan, 10.0), best, best, "loss")
    assert not is_better(found(2.0, nan), best, best, "bleu")
    assert not is_better(found(nan, 10.0), best, best, "bleu")


def test_weight_decay_shrinks(network: Seq2Seq, batch: Batch) -> None:
    begin = weights(network)
    sizes = []
    for decay in (0.0, 1.0):
        network.load_state_dict(begin, strict=False)
        Updater(network, replace(TrainingConfig(), weight_decay=decay), EXACT).step(batch, 1, 0.1, batch_loss)
        sizes.append(float(network.target_embedding.detach().norm()))
    assert sizes[1] < sizes[0]


def test_gradients_are_cut_by_value_before_the_norm_is_taken(network: Seq2Seq, batch: Batch) -> None:
    """A norm of n numbers of size c is at most c * sqrt(n); without the cut it is far more."""
    plain = Updater(network, TrainingConfig(clip_norm=0), EXACT)
    before = plain.step(batch, 1, 0.0, batch_loss).gradient_norm
    size = 1e-4
    cut = Updater(network, TrainingConfig(clip_norm=0, clip_value=size), EXACT)
    after = cut.step(batch, 1, 0.0, batch_loss).gradient_norm
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert max(float(g.abs().max()) for g in gradients) == pytest.approx(size)
    assert 0 < after <= size * sum(g.numel() for g in gradients) ** 0.5 * 1.0001
    assert after < 0.1 * before
