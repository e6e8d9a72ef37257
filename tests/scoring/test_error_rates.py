"""exact, wer, cer and the edit distance below them."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtrans.scoring import MetricSettings, corpus_score, metric
from seqtrans.scoring.edit_distance import edit_distance

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=12)
LINES = st.lists(st.text(alphabet="ab \u2028é", max_size=12), min_size=1, max_size=6)


def naive_distance(first: Sequence[str], second: Sequence[str]) -> int:
    """The textbook table, row by row."""
    row = list(range(len(second) + 1))
    for i, symbol in enumerate(first, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (symbol != other))
    return row[-1]


@settings(deadline=None, max_examples=300)
@given(WORDS, WORDS)
def test_distance_is_the_tables(first: list[str], second: list[str]) -> None:
    assert edit_distance(first, second) == naive_distance(first, second)


@pytest.mark.parametrize("length", [63, 64, 65, 200])
def test_distance_past_a_machine_word(length: int) -> None:
    draw = random.Random(length)
    first = draw.choices("abcd", k=length)
    second = draw.choices("abcd", k=length + 7)
    assert edit_distance(first, second) == naive_distance(first, second)


@settings(deadline=None, max_examples=100)
@given(WORDS, WORDS, WORDS)
def test_distance_is_a_metric(first: list[str], second: list[str], third: list[str]) -> None:
    distance = edit_distance(first, second)
    assert distance == edit_distance(second, first)
    assert abs(len(first) - len(second)) <= distance <= max(len(first), len(second))
    assert (distance == 0) == (first == second)
    assert edit_distance(first, third) <= distance + edit_distance(second, third)


def test_a_thousand_lines_of_a_hundred_characters_take_under_a_second() -> None:
    draw = random.Random(1)
    lines = ["".join(draw.choices("abcdefgh ", k=100)) for _ in range(2000)]
    start = time.perf_counter()
    corpus_score("cer", lines[:1000], lines[1000:])
    assert time.perf_counter() - start < 1


@settings(deadline=None, max_examples=50)
@given(LINES)
def test_a_text_is_its_own_perfect_translation(lines: list[str]) -> None:
    assert corpus_score("wer", lines, lines) == 0
    assert corpus_score("cer", lines, lines) == 0
    assert corpus_score("exact", lines, lines) == 100


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5))
def test_bounds(pairs: list[tuple[list[str], list[str]]]) -> None:
    hypotheses = [" ".join(first) for first, _ in pairs]
    references = [" ".join(second) for _, second in pairs]
    longest = sum(max(len(first), len(second)) for first, second in pairs)
    words = sum(len(second) for _, second in pairs)
    most = 100 * longest / words if words else 100
    assert 0 <= corpus_score("wer", hypotheses, references) <= most * (1 + 1e-12)
    assert 0 <= corpus_score("exact", hypotheses, references) <= 100


def test_rates_are_over_the_corpus_not_means_of_lines() -> None:
    score = metric("wer").corpus(["a", "a b c d"], [["b", "a b c d"]])
    assert score.value == pytest.approx(100 / 5)
    assert score.details == {"edits": 1, "ref_words": 5}
    assert metric("cer").corpus(["ab c"], [["abc d"]]).details == {"edits": 2, "ref_chars": 5}


def test_phones_between_spaces_give_the_phone_error_rate() -> None:
    hypotheses, references = ["h ə l oʊ", "k æ t"], ["h ə l oʊ", "k ɑ t s"]
    assert corpus_score("wer", hypotheses, references) == pytest.approx(100 * 2 / 8)
    assert corpus_score("exact", hypotheses, references) == 50


@pytest.mark.parametrize("name", ["wer", "cer"])
def test_empty_references(name: str) -> None:
    assert corpus_score(name, ["", ""], ["", ""]) == 0
    assert corpus_score(name, ["a", ""], ["", ""]) == 100
    assert corpus_score(name, ["a", ""], ["b", ""]) == 100


def test_several_references() -> None:
    references = [["a b c d", "x"], ["a x", "y z"]]
    # line 1 is one edit from "a x"; line 2 one edit from either, so the longer counts
    assert metric("wer").corpus(["a b", "z"], references).details == {"edits": 2, "ref_words": 4}
    assert metric("exact").corpus(["a x", "nothing"], references).value == 50


@pytest.mark.parametrize("name", ["wer", "cer", "exact", "bleu01"])
def test_lowercase(name: str) -> None:
    insensitive = metric(name, MetricSettings(lowercase=True))
    perfect = metric(name).corpus(["x"], [["x"]]).value
    assert insensitive.corpus(["Ein Öl"], [["ein öl"]]).value == perfect
    assert metric(name).corpus(["Ein Öl"], [["ein öl"]]).value != perfect
    assert "|case:lc|" in insensitive.signature(1)
    assert "|case:mixed|" in metric(name).signature(1)


def test_nothing_is_normalised() -> None:
    assert corpus_score("exact", ["a "], ["a"]) == 0
    assert corpus_score("cer", ["e\u0301"], ["é"]) == 200
