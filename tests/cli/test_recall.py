"""`seqtrans recall` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import RunSeqtrans

SMALL = ("--delays", 4, 2, "--steps", 5, "--hidden", 4)
CELL = """\
import torch
from seqtrans.recurrent.cells.base import Cell

class Leaky(Cell):
    gates = 1
    def step(self, projected, state):
        (h,) = state
        return (0.5 * h + 0.5 * torch.tanh(projected + h @ self.recurrent.T),)
"""


def test_a_table_and_a_chart_that_come_out_the_same(tmp_path: Path, run_seqtrans: RunSeqtrans) -> None:
    (tmp_path / "own.py").write_text(CELL, "utf-8")
    names = ["rnn", "rnn-unclipped", "own.py:Leaky"]
    runs = [
        run_seqtrans("recall", "--cells", *names, *SMALL, "--chart", f"{number}.svg", cwd=tmp_path)
        for number in range(2)
    ]
    assert runs[0].returncode == 0, runs[0].stderr.decode()
    head, *rows = [line.split() for line in runs[0].stdout.decode().splitlines()]
    assert head == ["delay", "2", "4", "gradient", "fresh", "trained"]
    assert [row[0] for row in rows] == names
    assert all(len(row) == 5 and row[1].endswith("%") for row in rows)
    said = runs[0].stderr.decode().splitlines()
    assert len(said) == 6
    assert said[1] == f"rnn, delay 4: {rows[0][2]} recalled"
    assert runs[0].stdout == runs[1].stdout
    charts = [(tmp_path / f"{number}.svg").read_text("utf-8") for number in range(2)]
    assert charts[0] == charts[1]
    assert charts[0].count("<polyline") == 4  # three cells and chance


def test_json_has_the_same_numbers(run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("recall", "--cells", "gru-unclipped", *SMALL, "--seed", 3, "--json")
    facts = json.loads(run.stdout)
    assert (facts["steps"], facts["hidden"], facts["seed"], facts["chance"]) == (5, 4, 3, 12.5)
    assert [(row["cell"], row["clip_norm"], row["delay"]) for row in facts["results"]] == [("gru", 0, 2), ("gru", 0, 4)]
    assert all(0 <= row["recalled"] <= 100 and row["gradient_fresh"] > 0 for row in facts["results"])


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["--cells", "lstn"], 2, "did you mean 'lstm'"),
        (["--cells", "no.py:Cell"], 74, "cannot be read"),
        (["--delays", 0, 5], 2, "delays must be between 1 and 1000, not 0"),
        (["--delays", 5, 99999], 2, "delays must be between 1 and 1000, not 99999"),
        (["--delays", "x"], 2, "valid int"),
        (["--steps", 0], 2, "steps must be at least 1"),
        (["--hidden", 0], 2, "hidden must be at least 1 and at most 1024"),
        (["--seed", -1], 2, "seed must be at least 0"),
        (["--chart", "no/where.svg"], 74, "cannot be written"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    words: list[object], code: int, reason: str, tmp_path: Path, run_seqtrans: RunSeqtrans
) -> None:
    run = run_seqtrans("recall", *words, cwd=tmp_path)
    assert run.returncode == code
    assert reason in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1
    assert not run.stdout
