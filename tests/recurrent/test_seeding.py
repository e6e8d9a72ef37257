"""Masks and initial weights follow from a seed, whatever other threads draw meanwhile."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

from seqtrans.recurrent.seeding import keep_mask, seeded_masks, seeded_weights

CPU = torch.device("cpu")


def masks(seed: int) -> list[Tensor]:
    with seeded_masks(seed, CPU):
        return [keep_mask((40, 5), 0.3, CPU) for _ in range(20)]


def weights(seed: int) -> list[Tensor]:
    with seeded_weights(seed):
        return [torch.randn(500) for _ in range(5)]


def test_masks_follow_from_the_seed_and_leave_the_generator_of_torch_alone() -> None:
    torch.default_generator.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = masks(1), masks(1), masks(2)
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))
    assert torch.equal(torch.get_rng_state(), before)
    share = torch.stack(first).float().mean()
    assert 0.65 < share < 0.75


def test_outside_of_a_block_they_come_from_the_generator_of_torch() -> None:
    torch.default_generator.manual_seed(5)
    one = keep_mask((9, 9), 0.5, CPU)
    torch.default_generator.manual_seed(5)
    assert torch.equal(one, torch.rand(9, 9) >= 0.5)


def test_threads_do_not_disturb_one_another() -> None:
    expected = {seed: masks(seed) for seed in range(4)}
    expected_weights = {seed: weights(seed) for seed in range(4)}
    failures: list[int] = []

    def work(seed: int) -> None:
        for _ in range(30):
            same = all(map(torch.equal, masks(seed), expected[seed]))
            same = same and all(map(torch.equal, weights(seed), expected_weights[seed]))
            failures.extend([] if same else [seed])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_the_generator_of_torch_is_as_it_was() -> None:
    torch.default_generator.manual_seed(5)
    expected = torch.randn(3)
    torch.default_generator.manual_seed(5)
    with seeded_weights(7):
        torch.randn(10)
    assert torch.equal(torch.randn(3), expected)
