"""Scores by length: every line in one bucket, and every bucket a corpus of its own."""

from __future__ import annotations

import pytest

from seqtrans.errors import DataError
from seqtrans.scoring import Text, metric, metric_names
from seqtrans.scoring.by_length import LONGEST, by_length

LENGTHS = [3, 12, 7, 1, 50, 10, 5, 6, 0, 41, 40, 2]
SOURCE = Text("source", [" ".join(["wort"] * length) for length in LENGTHS])
REFERENCE = Text("reference", [f"this is line {n} of the text and it has an end" for n in range(len(LENGTHS))])
SYSTEM = Text("system", [line.replace("end", "x" * n) for n, line in enumerate(REFERENCE.lines)])


@pytest.mark.parametrize("name", metric_names())
def test_each_bucket_is_scored_as_a_corpus_of_its_own(name: str) -> None:
    ours = metric(name)
    other = Text("other", [line.upper() for line in REFERENCE.lines])
    buckets = by_length(SOURCE, [SYSTEM, other], [REFERENCE, SYSTEM], [ours])
    for bucket in buckets:
        last = 10**6 if bucket.longest is None else bucket.longest
        chosen = [n for n, length in enumerate(LENGTHS) if bucket.shortest <= length <= last]
        parts = [[text.lines[n] for n in chosen] for text in (SYSTEM, other, REFERENCE)]
        for hypotheses, (_, (result,)) in zip(parts, bucket.evaluation.systems, strict=False):
            assert result.score == ours.corpus(hypotheses, [parts[2], parts[0]])
            assert result.signature == ours.signature(2)
            assert result.estimate is None
        assert bucket.evaluation.lines == len(chosen)
        assert bucket.mean == pytest.approx(sum(LENGTHS[n] for n in chosen) / len(chosen))


def test_every_line_is_in_one_bucket_and_no_bucket_is_empty() -> None:
    buckets = by_length(SOURCE, [SYSTEM], [REFERENCE], [metric("exact")])
    found = {bucket.label: bucket.evaluation.lines for bucket in buckets}
    assert found == {"0": 1, "1-5": 4, "6-10": 3, "11-15": 1, "31-40": 1, "41-": 2}


def test_the_buckets_are_as_fine_as_lines_are_common() -> None:
    lengths = range(60)
    text = [Text("text", ["a"] * len(lengths))]
    buckets = by_length(Text("source", ["w " * length for length in lengths]), text, text, [metric("exact")])
    labels = ["0", "1-5", "6-10", "11-15", "16-20", "21-25", "26-30", "31-40", "41-"]
    assert [bucket.label for bucket in buckets] == labels


@pytest.mark.parametrize("length", [*LONGEST, *(last + 1 for last in LONGEST), 1000])
def test_a_length_lies_within_its_bucket(length: int) -> None:
    text = [Text("text", ["a"])]
    (bucket,) = by_length(Text("source", ["w " * length]), text, text, [metric("exact")])
    assert bucket.shortest <= length
    assert bucket.longest is None or length <= bucket.longest
    assert bucket.mean == length


def test_a_source_of_another_length_is_refused() -> None:
    with pytest.raises(DataError, match=r"source has 12 line\(s\) but short has 1"):
        by_length(SOURCE, [Text("hyp", ["a"])], [Text("short", ["a"])], [metric("exact")])
