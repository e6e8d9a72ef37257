"""The examples of validations: a short, a middle and a long source, all different, drawn with the seed."""

from __future__ import annotations

from seqtrans.training.examples import choose_examples


def test_a_sorted_text_has_three_different_examples() -> None:
    sources = sorted(["same line"] * 50 + [f"line {'x' * n}" for n in range(40)])
    numbers = choose_examples(sources, 1)
    texts = [sources[number] for number in numbers]
    assert len(set(texts)) == 3
    assert texts == sorted(texts, key=len)
    assert len(texts[0]) < len("line ") + 14 < len(texts[2])
    assert choose_examples(sources, 1) == numbers
    assert len({tuple(choose_examples(sources, seed)) for seed in range(10)}) > 5


def test_few_sources_and_blank_ones() -> None:
    assert choose_examples(["", " ", "a", "a", "bb"], 1) == [2, 4]
    assert choose_examples([""], 1) == []
