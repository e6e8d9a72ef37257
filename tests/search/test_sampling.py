"""What may be drawn is what the options leave, as often as its probability says."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from seqtrans.search.sampling import EXCLUDED_IDS, Sampling, draw
from seqtrans.text.subwords import UNK_ID

PROBABILITIES = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05])
FIRST = 3
"""The special ids that may never be drawn come before EOS."""


def uniforms(count: int, seed: int) -> torch.Tensor:
    return torch.rand(count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def counts(options: Sampling, times: int = 4000) -> dict[int, float]:
    """How often each id is drawn, in shares; the special ids are made the likeliest."""
    logits = torch.cat([torch.full((FIRST,), 9.0), PROBABILITIES.log()]).repeat(times, 1)
    drawn = draw(logits, options, uniforms(times, 5))
    return {i - FIRST: n / times for i, n in sorted(Counter(drawn.tolist()).items())}


def test_all_are_drawn_as_often_as_they_are_probable() -> None:
    assert EXCLUDED_IDS == [0, 1, 2]
    found = counts(Sampling())
    assert found == {i: pytest.approx(p, abs=0.03) for i, p in enumerate(PROBABILITIES.tolist())}


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (Sampling(temperature=0), {0: 1.0}),
        (Sampling(top_k=1), {0: 1.0}),
        (Sampling(top_k=2), {0: 4 / 7, 1: 3 / 7}),
        (Sampling(top_k=100), dict(enumerate(PROBABILITIES.tolist()))),
        (Sampling(top_p=0.01), {0: 1.0}),
        (Sampling(top_p=0.5), {0: 4 / 7, 1: 3 / 7}),
        (Sampling(top_p=0.8), {0: 40 / 85, 1: 30 / 85, 2: 15 / 85}),
        (Sampling(temperature=0.5, top_k=2), {0: 16 / 25, 1: 9 / 25}),
    ],
)
def test_options_leave_the_likeliest(options: Sampling, left: dict[int, float]) -> None:
    assert counts(options) == {i: pytest.approx(p, abs=0.03) for i, p in left.items()}


def test_of_equals_the_first_are_left() -> None:
    drawn = draw(torch.zeros(200, 20), Sampling(top_k=3), uniforms(200, 5))
    assert set(drawn.tolist()) == {FIRST, FIRST + 1, FIRST + 2}
    assert set(draw(torch.zeros(50, 20), Sampling(top_k=1), uniforms(50, 5)).tolist()) == {FIRST}


def test_a_seed_decides() -> None:
    logits = torch.zeros(50, 20)
    first, again, other = (draw(logits, Sampling(), uniforms(50, seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_what_is_never_drawn_is_drawn_where_nothing_else_is_left() -> None:
    logits = torch.full((2, 6), float("-inf"))
    logits[0, UNK_ID], logits[1, 4] = -3.0, -8.0
    assert draw(logits, Sampling(), uniforms(2, 1)).tolist() == [UNK_ID, 4]


def test_the_ends_of_the_numbers_draw_what_can_be_drawn() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0, -torch.inf, 1.0, 2.0, -torch.inf]] * 2)
    numbers = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    assert draw(logits, Sampling(), numbers).tolist() == [4, 5]
