"""Evaluations as people and as programs read them."""

from __future__ import annotations

import json

import pytest

from seqtrans.scoring import Estimate, Resampling, Score, Text, by_length_output, metric, output
from seqtrans.scoring.by_length import Bucket, by_length
from seqtrans.scoring.evaluation import Evaluation, Result, evaluate
from seqtrans.scoring.registry import formatted_score

HYPOTHESES = Text("hyp", ["a x", "c d e f g"])
REFERENCES = Text("ref", ["a b", "c d e f h i"])
SIGNATURE = "nrefs:1|key:value"


def system(name: str, value: float, p_value: float | None) -> tuple[str, list[Result]]:
    """A system with the same score by two metrics, as if it had been compared with another."""
    estimate = Estimate(value + 0.25, 2.5, p_value)
    return name, [Result(metric(each), Score(value), SIGNATURE, estimate) for each in ("wer", "bleu01")]


COMPARISON = Evaluation(
    [system("first", 50, None), system("better one", 40, 0.0499), system("near", 1, 0.05), system("copy", 50, 1)],
    7,
    Resampling(20, 3),
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bleu", "12.35"),
        ("chrf", "12.35"),
        ("ter", "12.35"),
        ("wer", "12.35"),
        ("exact", "12.35"),
        ("bleu01", "12.3457"),
    ],
)
def test_percentages_have_two_decimals_and_fractions_four(name: str, text: str) -> None:
    assert formatted_score(name, 12.34567) == text


def test_a_system_alone_has_one_line_per_metric() -> None:
    metrics = [metric(name) for name in ("wer", "exact", "bleu", "chrf")]
    wer, exact, bleu, chrf = output.as_text(evaluate([HYPOTHESES], [REFERENCES], metrics)).split("\n")
    assert wer == f"WER = 37.50  edits = 3 ref_words = 8  {metrics[0].signature(1)}"
    assert exact == f"exact = 0.00  matches = 0 lines = 2  {metrics[1].signature(1)}"
    details = "precisions = 71.4/60.0/66.7/50.0 bp = 0.867 ratio = 0.875 hyp_len = 7 ref_len = 8"
    assert bleu == f"BLEU = 53.29  {details}  {metrics[2].signature(1)}"
    assert chrf == f"chrF2 = 40.89  {metrics[3].signature(1)}"  # sacreBLEU gives no details of it


def test_systems_have_one_table_per_metric_with_a_star_below_five_percent() -> None:
    wer, bleu01, legend = output.as_text(COMPARISON).split("\n\n")
    assert wer.split("\n") == [
        f"WER (lower is better)  {SIGNATURE}",
        "  system      score  mean ± 95% CI  p",
        "  first       50.00   50.25 ± 2.50  -",
        "  better one  40.00   40.25 ± 2.50  0.0499 *",
        "  near         1.00    1.25 ± 2.50  0.0500",
        "  copy        50.00   50.25 ± 2.50  1.0000",
    ]
    assert bleu01.startswith(f"bleu01 (higher is better)  {SIGNATURE}\n")
    assert "  near         1.0000   1.2500 ± 2.5000  0.0500\n" in bleu01
    assert "(20 resamples of 7 lines); * p < 0.05" in legend


def test_json_has_the_interval_which_no_score_leaves() -> None:
    report = json.loads(output.as_json(COMPARISON))
    assert list(report) == ["systems", "lines"]
    assert report["lines"] == 7
    assert [each["name"] for each in report["systems"]] == ["first", "better one", "near", "copy"]
    wer, bleu01 = report["systems"][1]["metrics"]
    bootstrap = {"resamples": 20, "seed": 3, "mean": 40.25, "ci95": [37.75, 42.75], "p_value": 0.0499}
    assert wer == {
        "name": "wer",
        "score": 40,
        "signature": SIGNATURE,
        "higher_is_better": False,
        "details": {},
        "bootstrap": bootstrap,
    }
    assert bleu01 == {**wer, "name": "bleu01", "higher_is_better": True}
    assert report["systems"][2]["metrics"][0]["bootstrap"]["ci95"] == [0, 3.75]  # not -1.25


def test_json_of_one_system_has_details_and_no_interval() -> None:
    report = output.as_object(evaluate([HYPOTHESES], [REFERENCES], [metric("wer")]))
    assert report == {
        "systems": [
            {
                "name": "hyp",
                "metrics": [
                    {
                        "name": "wer",
                        "score": 37.5,
                        "signature": metric("wer").signature(1),
                        "higher_is_better": False,
                        "details": {"edits": 3, "ref_words": 8},
                    }
                ],
            }
        ],
        "lines": 2,
    }


@pytest.fixture(scope="module")
def buckets() -> list[Bucket]:
    """Two systems by two metrics, for two short lines and a longer one."""
    source = Text("source", ["eins", "zwei drei", "w " * 6])
    first = Text("first", ["one", "two", "a b c d"])
    second = Text("second", ["one", "two three", "a b"])
    references = [Text("ref", ["one", "two three", "a b c e"])]
    return by_length(source, [first, second], references, [metric("wer"), metric("bleu01")])


def test_by_length_there_is_one_row_per_bucket_and_one_column_per_system(buckets: list[Bucket]) -> None:
    wer, bleu01 = by_length_output.as_text(buckets).split("\n\n")
    assert wer.split("\n") == [
        f"WER (lower is better)  {metric('wer').signature(1)}",
        "  words  lines  first  second",
        "    1-5      2  33.33    0.00",
        "   6-10      1  25.00   50.00",
    ]
    assert bleu01.split("\n") == [
        f"bleu01 (higher is better)  {metric('bleu01').signature(1)}",
        "  words  lines   first  second",
        "    1-5      2  0.6839  1.0000",
        "   6-10      1  0.0000  0.3679",
    ]


def test_by_length_json_has_one_evaluation_per_bucket(buckets: list[Bucket]) -> None:
    report = json.loads(by_length_output.as_json("source", buckets))
    assert report["source"] == "source"
    for bucket, (words, mean, lines), expected in zip(
        report["buckets"], [("1-5", 1.5, 2), ("6-10", 6, 1)], buckets, strict=True
    ):
        assert (bucket["words"], bucket["mean_words"], bucket["lines"]) == (words, mean, lines)
        assert bucket["systems"] == output.as_object(expected.evaluation)["systems"]


def test_by_length_the_chart_is_of_the_first_metric(buckets: list[Bucket]) -> None:
    chart = by_length_output.as_chart(buckets)
    assert ">WER by length of the source<" in chart
    assert ">WER (lower is better)<" in chart
    for point in ("first: 1.5, 33.3333", "first: 6, 25", "second: 1.5, 0", "second: 6, 50"):
        assert f">{point}<" in chart
    (higher,) = by_length(HYPOTHESES, [HYPOTHESES], [REFERENCES], [metric("exact")])
    assert ">exact (higher is better)<" in by_length_output.as_chart([higher])
