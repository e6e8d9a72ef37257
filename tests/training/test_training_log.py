"""The training log: whole lines, cut where a resumed training goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqtrans.errors import StreamError
from seqtrans.training.log import Log


def events(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_one_object_a_line_with_six_digits(tmp_path: Path) -> None:
    with Log(tmp_path / "log", 0) as log:
        log.write("step", loss=1.23456789, step=12345678, name="Übung", best=None, kept=True)
        assert events(tmp_path / "log") == [  # at once, not when it is closed
            {"event": "step", "loss": 1.23457, "step": 12345678, "name": "Übung", "best": None, "kept": True}
        ]
        assert log.length == (tmp_path / "log").stat().st_size


def test_what_came_after_the_checkpoint_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with Log(path, 0) as log:
        log.write("step", step=1)
        length = log.length
        log.write("step", step=2)
        log.write("step", step=3)
    with Log(path, length) as log:
        assert log.length == length
        log.write("step", step=20)
    assert [e["step"] for e in events(path)] == [1, 20]


def test_a_new_training_begins_a_new_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("something old\n")
    with Log(path, 0) as log:
        assert log.length == 0
    assert path.read_bytes() == b""


@pytest.mark.parametrize("there", [None, b"", b'{"event": "step"}\n'])
def test_a_log_shorter_than_the_checkpoint_says_is_no_obstacle(tmp_path: Path, there: bytes | None) -> None:
    path = tmp_path / "log"
    if there is not None:
        path.write_bytes(there)
    with Log(path, 1000) as log:
        assert log.length == len(there or b"")
        log.write("step", step=1)
    assert path.read_bytes() == (there or b"") + b'{"event": "step", "step": 1}\n'


def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "log"):
        for length in (0, 5):
            with pytest.raises(StreamError, match="cannot be written"):
                Log(path, length)


def test_a_number_that_is_none_still_makes_a_line_of_json(tmp_path: Path) -> None:
    """JSON has no NaN: other programs read this log."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    with Log(tmp_path / "log", 0) as log:
        log.write("validation", loss=float("nan"), score=float("inf"))
    json.loads((tmp_path / "log").read_bytes(), parse_constant=refuse)
