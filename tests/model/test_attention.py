"""Every attention that there is, and the known ones against their formulas."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seqtrans.errors import UsageError
from seqtrans.model.attention import attention_names, find_attention
from seqtrans.model.attention.base import Attention
from seqtrans.model.memory import Memory

SIZE, SOURCE, QUERIES = 6, 5, 4
LENGTHS = [5, 1, 3]

attentions = pytest.mark.parametrize("name", attention_names())


def make(name: str) -> tuple[Attention, Memory, Tensor]:
    torch.default_generator.manual_seed(11)
    attention = find_attention(name)(SIZE, SIZE).double()
    values = torch.randn(len(LENGTHS), SOURCE, SIZE, dtype=torch.float64)
    query = torch.randn(len(LENGTHS), QUERIES, SIZE, dtype=torch.float64)
    return attention, memory_of(attention, values), query


def memory_of(attention: Attention, values: Tensor) -> Memory:
    padding = torch.zeros(values.shape[:2], dtype=values.dtype)
    for b, length in enumerate(LENGTHS):
        padding[b, length:] = -torch.inf
    return Memory(values, attention.keys(values), padding, values[:, 0] * 2)


def dot(_attention: Attention, query: Tensor, value: Tensor) -> Tensor:
    return (query * value).sum()


def scaled_dot(_attention: Attention, query: Tensor, value: Tensor) -> Tensor:
    return (query * value).sum() / math.sqrt(SIZE)


def general(attention: Attention, query: Tensor, value: Tensor) -> Tensor:
    """q . W k"""
    (weight,) = attention.parameters()
    return sum((query[i] * weight[i, j] * value[j] for i in range(SIZE) for j in range(SIZE)), torch.zeros(()))


def additive(attention: Attention, query: Tensor, value: Tensor) -> Tensor:
    """v . tanh(W_q q + W_k k)"""
    weights = dict(attention.named_parameters())
    hidden = torch.tanh(weights["query_weight"] @ query + weights["key_weight"] @ value)
    return weights["vector"].dot(hidden)


@pytest.mark.parametrize(
    ("name", "score"), [("dot", dot), ("scaled-dot", scaled_dot), ("general", general), ("additive", additive)]
)
def test_a_formula_gives_the_same(name: str, score: Callable[[Attention, Tensor, Tensor], Tensor]) -> None:
    attention, memory, query = make(name)
    context, weights = attention(query, memory)
    for b, length in enumerate(LENGTHS):
        for t in range(QUERIES):
            scores = torch.stack([score(attention, query[b, t], memory.values_BSD[b, s]) for s in range(length)])
            expected = scores.exp() / scores.exp().sum()
            torch.testing.assert_close(weights[b, t, :length], expected, rtol=1e-12, atol=1e-12)
            average = sum(w * v for w, v in zip(expected, memory.values_BSD[b], strict=False))
            torch.testing.assert_close(context[b, t], average, rtol=1e-12, atol=1e-12)


def test_heads_attend_by_themselves() -> None:
    """Two heads of three units, head by head and pair by pair."""
    attention, memory, query = make("multi-head-additive")
    weights = dict(attention.named_parameters())
    context, shown = attention(query, memory)
    for b, length in enumerate(LENGTHS):
        for t in range(QUERIES):
            parts, means = [], []
            for units in (slice(0, 3), slice(3, 6)):
                asked = weights["query_weight"][units] @ query[b, t]
                values = memory.values_BSD[b, :length]
                keys = [weights["key_weight"][units] @ value for value in values]
                scores = torch.stack([weights["vector"][units].dot(torch.tanh(asked + key)) for key in keys])
                share = scores.exp() / scores.exp().sum()
                means.append(share)
                parts.append(weights["value_weight"][units] @ (share @ values))
            expected = weights["output_weight"] @ torch.cat(parts)
            torch.testing.assert_close(context[b, t], expected, rtol=1e-12, atol=1e-12)
            torch.testing.assert_close(shown[b, t, :length], sum(means) / 2, rtol=1e-12, atol=1e-12)


@attentions
def test_weights_sum_to_one_and_padding_gets_none(name: str) -> None:
    attention, memory, query = make(name)
    context, weights = attention(query, memory)
    assert context.shape == (len(LENGTHS), QUERIES, SIZE)
    assert weights.shape == (len(LENGTHS), QUERIES, SOURCE)
    if not attention.aligns:
        assert not weights.any()
        return
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(len(LENGTHS), QUERIES, dtype=torch.float64))
    assert (weights >= 0).all()
    for b, length in enumerate(LENGTHS):
        assert not weights[b, :, length:].any()
        assert (weights[b, :, :length] > 0).all()


def test_no_attention_gives_the_summary_to_every_query() -> None:
    attention, memory, query = make("none")
    context, _ = attention(query, memory)
    for t in range(QUERIES):
        assert torch.equal(context[:, t], memory.summary_BD)
    attention, memory, query = make("start")
    assert not attention(query, memory)[0].any()


@attentions
def test_what_stands_in_the_padding_does_not_matter(name: str) -> None:
    attention, memory, query = make(name)
    other = memory.values_BSD.clone()
    for b, length in enumerate(LENGTHS):
        other[b, length:] = 1e3
    for found, expected in zip(attention(query, memory_of(attention, other)), attention(query, memory), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@attentions
def test_each_query_is_on_its_own(name: str) -> None:
    attention, memory, query = make(name)
    together = attention(query, memory)
    for t in range(QUERIES):
        for found, expected in zip(attention(query[:, t : t + 1], memory), together, strict=True):
            torch.testing.assert_close(found, expected[:, t : t + 1], rtol=1e-12, atol=1e-12)


@attentions
def test_scores_far_from_zero_stay_finite(name: str) -> None:
    attention, memory, query = make(name)
    context, weights = attention(query * 1e4, memory)
    assert torch.isfinite(context).all()
    assert torch.isfinite(weights).all()


def test_dot_needs_one_size_and_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="one size, not 4 and 5"):
        find_attention("dot")(4, 5)
    with pytest.raises(UsageError, match="did you mean 'general'"):
        find_attention("genral")
