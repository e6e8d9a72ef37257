"""`seqtrans score --by-length` as a user runs it: table, JSON and chart."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import RunSeqtrans

SOURCE = ["one two", "a b c d e", "one two three four five six", "", "w " * 45, "x " * 50]
REFERENCE = ["eins zwei", "a b c d e", "eins zwei drei vier", "leer", "Wort Wort Wort Wort", "x x x x x"]
SYSTEM = ["eins zwei", "a b c d f", "eins zwei drei vier", "leer", "Wort Wort Wort", "x x x x x"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, lines in {"src": SOURCE, "ref": REFERENCE, "hyp": SYSTEM, "short": SOURCE[1:]}.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return tmp_path


def test_a_table_a_metric_with_a_row_a_bucket_and_a_column_a_system(folder: Path, run_seqtrans: RunSeqtrans) -> None:
    arguments = ["hyp", "ref", "-r", "ref", "--metric", "wer", "exact", "--by-length", "src"]
    run = run_seqtrans("score", *arguments, cwd=folder)
    assert run.returncode == 0, run.stderr
    assert run.stderr == b""
    wer, exact = run.stdout.decode().split("\n\n")
    assert wer.startswith("WER (lower is better)  nrefs:1|")
    assert wer.splitlines()[1:] == [
        "  words  lines    hyp   ref",
        "      0      1   0.00  0.00",
        "    1-5      2  14.29  0.00",
        "   6-10      1   0.00  0.00",
        "    41-      2  11.11  0.00",
    ]
    assert exact.startswith("exact (higher is better)  nrefs:1|")
    assert "    1-5      2   50.00  100.00\n" in exact


def test_json(folder: Path, run_seqtrans: RunSeqtrans) -> None:
    arguments = ["hyp", "-r", "ref", "--metric", "wer", "exact", "--by-length", "src", "--json"]
    run = run_seqtrans("score", *arguments, cwd=folder)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count(b"\n") == 1
    report = json.loads(run.stdout)
    assert report["source"] == "src"
    found = [(bucket["words"], bucket["mean_words"], bucket["lines"]) for bucket in report["buckets"]]
    assert found == [("0", 0, 1), ("1-5", 3.5, 2), ("6-10", 6, 1), ("41-", 47.5, 2)]
    (system,) = report["buckets"][1]["systems"]
    assert system["name"] == "hyp"
    assert {each["name"]: each["score"] for each in system["metrics"]} == {"wer": pytest.approx(100 / 7), "exact": 50}


def test_the_chart_has_a_line_a_system_and_a_point_a_bucket(folder: Path, run_seqtrans: RunSeqtrans) -> None:
    arguments = ["-", "ref", "-r", "ref", "--metric", "wer", "exact", "--by-length", "src"]
    plain = run_seqtrans("score", *arguments, cwd=folder, input=(folder / "hyp").read_bytes())
    run = run_seqtrans("score", *arguments, "--chart", "chart.svg", cwd=folder, input=(folder / "hyp").read_bytes())
    assert run.returncode == 0, run.stderr
    assert run.stdout == plain.stdout
    document = (folder / "chart.svg").read_text("utf-8")
    root = ElementTree.fromstring(document)
    assert len(root.findall(".//{http://www.w3.org/2000/svg}polyline")) == 2
    assert len(root.findall(".//{http://www.w3.org/2000/svg}circle")) == 8
    assert "WER by length of the source" in document
    assert "&lt;stdin&gt;: 3.5, 14.2857" in document
    assert sorted(path.name for path in folder.iterdir()) == ["chart.svg", "hyp", "ref", "short", "src"]


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["hyp", "-r", "ref", "--chart", "c.svg"], 2, "--by-length"),
        (["hyp", "-r", "ref", "--by-length", "src", "--chart", "-"], 2, "--chart needs the name of a file"),
        (["hyp", "-r", "ref", "--by-length", "src", "--chart", "src"], 2, "src: is read too"),
        (["hyp", "-r", "ref", "--by-length", "src", "--chart", "./hyp"], 2, "is read too"),
        (["hyp", "-r", "ref", "--by-length", "src", "--chart", "no/c.svg"], 74, "no/c.svg: cannot be written"),
        (["-", "-r", "ref", "--by-length", "-"], 2, "only once"),
        (["-r", "ref", "--by-length", "-"], 2, "only once"),
        (["hyp", "-m", "lm.safetensors", "--by-length", "src"], 2, "--by-length"),
        (["hyp", "-r", "ref", "--by-length", "short"], 65, "short has 5 line(s) but ref has 6"),
        (["hyp", "-r", "ref", "--by-length", "absent"], 74, "absent"),
    ],
)
def test_refused_in_one_line(
    arguments: list[str], code: int, part: str, folder: Path, run_seqtrans: RunSeqtrans
) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    run = run_seqtrans("score", *arguments, cwd=folder)
    assert run.returncode == code, run.stderr
    assert run.stdout == b""
    message = run.stderr.decode()
    assert message.startswith("seqtrans: ")
    assert message.count("\n") == 1
    assert part in message
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
