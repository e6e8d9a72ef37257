"""A development text that is split off: seeded, without a source in both parts, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtrans.errors import DataError
from seqtrans.text.corpus import ParallelText
from seqtrans.text.splitting import split_off, split_off_end
from seqtrans.text.stream import PlainText

PAIRS = st.lists(st.tuples(st.sampled_from("abcdefgh "), st.sampled_from("uvw ")), min_size=2, max_size=60)


def text(pairs: list[tuple[str, str]]) -> ParallelText:
    return ParallelText("t", [s for s, _ in pairs], [t for _, t in pairs], {})


def rows(part: ParallelText) -> list[tuple[int, str, str]]:
    return [(part.line_number(row), part.source[row], part.target[row]) for row in range(len(part))]


@given(PAIRS, st.integers(1, 20) | st.floats(0.01, 0.5), st.integers(0, 3))
def test_every_pair_is_in_one_part_and_no_source_in_both(pairs: list[tuple[str, str]], size: float, seed: int) -> None:
    whole = text(pairs)
    try:
        train, dev = split_off(whole, size, seed)
    except DataError:
        return  # too few sources
    assert sorted(rows(train) + rows(dev)) == rows(whole)
    assert rows(train) == sorted(rows(train))
    assert rows(dev) == sorted(rows(dev))
    usable = {source for _, source, target in rows(train) if source.strip() and target.strip()}
    assert usable
    assert not usable & set(dev.source)
    assert all(source.strip() and target.strip() for _, source, target in rows(dev))
    assert len(dev) >= (round(size) if size >= 1 else max(1, round(size * len(pairs))))
    assert [rows(part) for part in split_off(whole, size, seed)] == [rows(train), rows(dev)]


def test_another_seed_draws_others() -> None:
    whole = text([(str(number), "x") for number in range(100)])
    assert len({tuple(split_off(whole, 10, seed)[1].source) for seed in range(5)}) == 5
    assert len(split_off(whole, 10, 1)[1]) == len(split_off(whole, 0.1, 1)[1]) == 10


def test_a_split_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(DataError, match=r"t: 3 usable pairs; dev_size 3 would leave none for training"):
        split_off(text([("a", "x"), ("b", "x"), ("", ""), ("c", "x")]), 3, 1)
    with pytest.raises(DataError, match="2 lines; dev_size 5 would leave none"):
        split_off_end(PlainText("t", ["a", "b"], {}), 5)


def test_of_a_running_text_the_end_is_split_off() -> None:
    train, dev = split_off_end(PlainText("t", ["a", "b", "c", "d"], {"": "0f"}), 0.25)
    assert (train.lines, dev.lines, train.digests) == (["a", "b", "c"], ["d"], {"": "0f"})
