"""Letters and words that the subwords do not have: every command that encodes a text tells of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import RunSeqtrans

SMALL = """\
[model]
embedding = 8
hidden = 16
encoder_layers = 1
"""
LINES = "abc\nжabщ\nb\nщ🙂\n"
CHARACTERS = "2 line(s) with characters that no subword spells, such as 'ж', 'щ', '🙂' (lines 2, 4)"
WORDS = "words that are not in the vocabulary, such as "


def said(run: subprocess.CompletedProcess[bytes], code: int = 0) -> str:
    text = run.stderr.decode()
    assert run.returncode == code, text
    return text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("unknown")
    (path / "small.toml").write_text(SMALL, "utf-8")
    (path / "abc").write_text("abc\ncab\nb\nca\n" * 10, "utf-8")
    (path / "lines").write_text(LINES, "utf-8")
    return path


@pytest.fixture(scope="module")
def subwords(run_seqtrans: RunSeqtrans, folder: Path) -> Path:
    path = folder / "abc.model"
    said(run_seqtrans("tokenize", "learn", "--type", "char", "-o", path, folder / "abc"))
    return path


def train(run_seqtrans: RunSeqtrans, folder: Path, *more: object) -> subprocess.CompletedProcess[bytes]:
    return run_seqtrans("train", "--config", folder / "small.toml", "--max-steps", 1, "--threads", 1, *more)


@pytest.fixture(scope="module")
def language_model(run_seqtrans: RunSeqtrans, folder: Path) -> Path:
    """Its development text has unknown characters."""
    path, text = folder / "lm.safetensors", [folder / "abc"]
    flags = ["--task", "lm", "--set", "type=char", "--train", *text, "--dev", folder / "lines", "-o", path]
    assert f"{folder / 'lines'}:2: {CHARACTERS}\n" in said(train(run_seqtrans, folder, *flags))
    return path


def test_tokenize_encode(run_seqtrans: RunSeqtrans, subwords: Path) -> None:
    run = run_seqtrans("tokenize", "encode", "-m", subwords, input=LINES.encode())
    assert said(run) == f"seqtrans: warning: <stdin>:2: {CHARACTERS}\n"


def test_the_names_of_special_subwords_are_unknown_text_too(run_seqtrans: RunSeqtrans, subwords: Path) -> None:
    message = said(run_seqtrans("tokenize", "encode", "-m", subwords, input=b"a\n<s>\n"))
    assert "<stdin>:2: 1 line(s) with characters that no subword spells, such as '<', 's', '>'\n" in message


def test_at_most_five_characters_are_shown(run_seqtrans: RunSeqtrans, subwords: Path) -> None:
    message = said(run_seqtrans("tokenize", "encode", "-m", subwords, input=b"defghij\n"))
    assert message.endswith("such as 'd', 'e', 'f', 'g', 'h'\n")


def test_bytes_spell_everything(run_seqtrans: RunSeqtrans, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "bytes.model"
    said(run_seqtrans("tokenize", "learn", "--byte-fallback", "--vocab-size", 300, "-o", path, folder / "abc"))
    assert said(run_seqtrans("tokenize", "encode", "-m", path, input=LINES.encode())) == ""


@pytest.mark.parametrize("processes", [1, 2])
def test_translate(run_seqtrans: RunSeqtrans, tiny_model: Path, processes: int) -> None:
    run = run_seqtrans(
        "translate", "-m", tiny_model, "--processes", processes, input="one\none Haus ж\n\nHaus\n".encode()
    )
    assert f"<stdin>:2: 2 line(s) with {WORDS}'Haus', 'ж' (lines 2, 4)\n" in said(run)


def test_a_tagger(run_seqtrans: RunSeqtrans, folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "tag.safetensors"
    text = [folder / "abc", folder / "abc"]
    said(train(run_seqtrans, folder, "--task", "tag", "--train", *text, "--dev", *text, "-o", model))
    run = run_seqtrans("translate", "-m", model, input=LINES.encode())
    assert f"<stdin>:2: {CHARACTERS}\n" in said(run)


def test_score_of_pairs(run_seqtrans: RunSeqtrans, tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "pairs"
    path.write_text("one\teins\nhouse\teins\none\tHaus\n", "utf-8")
    message = said(run_seqtrans("score", "--model", tiny_model, path))
    assert f"{path}:2: 1 line(s) with source {WORDS}'house'\n" in message
    assert f"{path}:3: 1 line(s) with target {WORDS}'Haus'\n" in message


def test_rescore(run_seqtrans: RunSeqtrans, tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_text("one\nhouse\n", "utf-8")
    lists = b"0 ||| eins ||| F= 1 ||| -1\n1 ||| Haus ||| F= 1 ||| -1\n"
    message = said(run_seqtrans("rescore", "-m", tiny_model, path, input=lists))
    assert f"{path}:2: 1 line(s) with {WORDS}'house'\n" in message
    assert f"<stdin>:2: 1 line(s) with {WORDS}'Haus'\n" in message


def test_a_language_model(run_seqtrans: RunSeqtrans, language_model: Path, folder: Path) -> None:
    run = run_seqtrans("score", "--model", language_model, folder / "lines", "--json")
    assert f"{folder / 'lines'}:2: {CHARACTERS}\n" in said(run)
    assert json.loads(run.stdout)["unknown_subwords"] == 3
    message = said(run_seqtrans("generate", "-m", language_model, "--prompt", "aж", "--lines", 1))
    assert "--prompt:1: 1 line(s) with characters that no subword spells, such as 'ж'\n" in message


def test_a_training_tells_of_both_sides_and_texts(
    run_seqtrans: RunSeqtrans, folder: Path, subwords: Path, tmp_path: Path
) -> None:
    pairs, dev = tmp_path / "pairs", tmp_path / "dev"
    pairs.write_text("abc\tcba\n\tb\n" * 5 + "aж\tcba\ncb\tщb\n", "utf-8")
    dev.write_text("ab\tщ\n", "utf-8")
    flags = ["--train", pairs, "--dev", dev, "--subwords", subwords, "-o", tmp_path / "m.safetensors"]
    message = said(train(run_seqtrans, folder, *flags))
    assert f"{pairs}:11: 1 line(s) with source characters that no subword spells, such as 'ж'\n" in message
    assert f"{pairs}:12: 1 line(s) with target characters that no subword spells, such as 'щ'\n" in message
    assert f"{dev}:1: 1 line(s) with target characters that no subword spells, such as 'щ'\n" in message


def test_the_subwords_of_another_text_are_refused(
    run_seqtrans: RunSeqtrans, folder: Path, subwords: Path, tmp_path: Path
) -> None:
    pairs, output = tmp_path / "pairs", tmp_path / "m.safetensors"
    pairs.write_text("abc\tж щ ш э\n" * 5, "utf-8")
    flags = ["--train", pairs, "--dev", pairs, "--subwords", subwords, "-o", output]
    assert said(train(run_seqtrans, folder, *flags), 65).splitlines()[-1] == (
        f"seqtrans: {pairs}: 50% of the target's subwords are unknown; learn subwords from this text: "
        "leave out --subwords"
    )
    flags = ["--task", "lm", "--train", pairs, "--dev", pairs, "--subwords", subwords, "-o", output]
    assert "of the subwords are unknown" in said(train(run_seqtrans, folder, *flags), 65)
