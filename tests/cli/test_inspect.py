"""`seqtrans inspect`: a page for people, one JSON object for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from seqtrans.config.schema import Config, ModelConfig
from seqtrans.model.file import save_model
from seqtrans.model.trained import fresh_model
from seqtrans.text.subword_training import learn_subwords
from tests.conftest import RunSeqtrans


def test_a_file_cannot_write_to_the_terminal_by_its_history(run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    letters = learn_subwords(["abc"], "char", 100)
    history = {"steps": 7, "a\x1b[31m": "red\nfile  nothing\x07", "name": "\udcff", "data": {"\x9b2J": "é"}}
    model = replace(fresh_model(Config(model=ModelConfig(embedding=4, hidden=6)), letters, letters), history=history)
    save_model(tmp_path / "m", model)
    page = run_seqtrans("inspect", tmp_path / "m")
    assert page.returncode == 0
    text = page.stdout.decode()
    assert all(line.isprintable() for line in text.split("\n"))
    assert "a?[31m                   red?file  nothing?" in text
    assert "?2J                      é" in text
    found = run_seqtrans("inspect", "--json", tmp_path / "m")
    assert found.returncode == 0
    assert json.loads(found.stdout)["history"]["a\x1b[31m"] == history["a\x1b[31m"]
