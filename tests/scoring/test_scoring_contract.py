"""What holds for every metric, found by name, and for the functions that use them."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from seqtrans.errors import DataError, UsageError
from seqtrans.scoring import Resampling, Text, corpus_score, higher_is_better, metric, metric_names
from seqtrans.scoring.evaluation import check_counts, evaluate
from seqtrans.scoring.output import as_text

GOOD = ["the small cat sat on the mat", "a dog barks at night in the old town"]
BAD = ["the large rat slept under a rug", "a dog sings by day in a new city"]


def test_the_metrics_there_are() -> None:
    assert metric_names() == ["bleu", "bleu01", "cer", "chrf", "exact", "ter", "wer"]


@pytest.mark.parametrize("name", metric_names())
def test_contract(name: str) -> None:
    ours = metric(name)
    assert ours.name == name
    assert name in ours.label.lower()
    perfect, poor = corpus_score(name, GOOD, GOOD), corpus_score(name, BAD, GOOD)
    assert (perfect > poor) == higher_is_better(name)
    best = {"bleu01": 1.0, "wer": 0.0, "cer": 0.0, "ter": 0.0}.get(name, 100.0)
    assert perfect == pytest.approx(best)
    assert corpus_score(name, GOOD, GOOD) == perfect
    assert all(":" in part for part in ours.signature(3).split("|"))
    assert ours.signature(3).startswith("nrefs:3|")
    assert ours.signature(1, Resampling(5, 6)).startswith("nrefs:1|bs:5|seed:6|")


@pytest.mark.parametrize("name", metric_names())
def test_empty_and_odd_lines_give_finite_scores(name: str) -> None:
    lines = ["", " ", "\u2028", "\u00a0", "👍🏽", "\ufffd", "a\tb"]
    assert math.isfinite(corpus_score(name, lines, list(reversed(lines))))
    assert math.isfinite(corpus_score(name, [""], [""]))
    assert math.isfinite(corpus_score(name, ["a"], [""]))
    assert math.isfinite(corpus_score(name, [""], ["a"]))


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="bleu, bleu01, cer, chrf, exact, ter, wer"):
        metric("blue")
    with pytest.raises(UsageError):
        higher_is_better("")


def test_corpus_score_refuses_what_does_not_pair() -> None:
    with pytest.raises(DataError, match="hypotheses has 2 line"):
        corpus_score("wer", ["a", "b"], ["a"])
    with pytest.raises(DataError, match="no lines"):
        corpus_score("wer", [], [])


def test_counts_are_checked_over_all_texts() -> None:
    two, three = Text("two", ["a", "b"]), Text("three", ["a", "b", "c"])
    assert check_counts([two, two], [two]) == 2
    with pytest.raises(DataError, match=r"three has 3 line\(s\) but two has 2"):
        check_counts([two, three], [two])
    with pytest.raises(DataError, match=r"three has 3 line\(s\) but two has 2"):
        check_counts([two], [two, three])


def test_tables_align_whatever_the_names() -> None:
    systems = [Text("a", GOOD), Text("a-much-longer-name", BAD), Text("a", GOOD)]
    table = as_text(evaluate(systems, [Text("ref", GOOD)], [metric("wer")], Resampling(samples=20)))
    rows = table.split("\n")[2:5]
    assert len({row.index("±") for row in rows}) == 1
    assert rows[0].endswith("  -")
    assert rows[2].endswith("  1.0000")


def test_names_and_imports_cost_nothing() -> None:
    """`seqtrans --help` imports the command: nothing heavy may come with it."""
    code = (
        "import sys, seqtrans.cli.score, seqtrans.scoring as s; s.metric_names();"
        "sys.exit(bool({'numpy', 'sacrebleu', 'torch'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
