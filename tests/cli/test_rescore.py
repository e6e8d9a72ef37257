"""`seqtrans rescore`: n-best lists by another translator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import RunSeqtrans

SOURCE = b"one two three\nfour five\n\nsix\n"


def fields(output: bytes) -> list[list[str]]:
    return [line.split(" ||| ") for line in output.decode().splitlines()]


@pytest.fixture(scope="module")
def lists(tiny_model: Path, run_seqtrans: RunSeqtrans) -> bytes:
    flags = ["--n-best", 4, "--format", "moses", "--precision", "fp32", "--alignment", "words"]
    run = run_seqtrans("translate", "-m", tiny_model, *flags, input=SOURCE)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout


def test_a_model_gives_its_own_lists_the_scores_they_have(
    tiny_model: Path, run_seqtrans: RunSeqtrans, lists: bytes, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(SOURCE)
    run = run_seqtrans("rescore", "-m", tiny_model, tmp_path / "source", "--precision", "fp32", input=lists)
    assert run.returncode == 0, run.stderr.decode()
    before, after = fields(lists), fields(run.stdout)
    assert len(before) == len(after) == 13
    by_text = {(entry[0], entry[1]): entry for entry in before}
    for number, text, features, score, alignment in after:
        old = by_text[number, text]
        assert features.startswith(old[2] + " ModelLogProb= ")
        assert alignment == old[4]
        # a text may have been found as other subwords than those it has by itself
        assert float(score) <= max(float(e[3]) for e in before if e[0] == number) + 1.1e-3
    assert [entry[0] for entry in after] == [entry[0] for entry in before]
    for number in "0123":
        scores = [float(entry[3]) for entry in after if entry[0] == number]
        assert scores == sorted(scores, reverse=True)


def test_each_model_has_a_feature_of_its_own(
    tiny_model: Path, run_seqtrans: RunSeqtrans, lists: bytes, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(SOURCE)
    for _ in range(3):
        lists = run_seqtrans("rescore", "-m", tiny_model, tmp_path / "source", input=lists).stdout
    names = re.findall(r"ModelLogProb\S*", fields(lists)[0][2])
    assert names == ["ModelLogProb=", "ModelLogProb2=", "ModelLogProb3="]


def test_what_passes_through_stays_as_it_is(tiny_model: Path, run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    """Of a line that no translation could be found for, `translate` writes a blank one with the score -inf."""
    (tmp_path / "source").write_bytes(SOURCE)
    text = "0 ||| \u00a0eins\u3000 ||| F= 1 ||| -1 ||| 0-0\n0 |||  ||| F= 1 ||| -inf\n".encode()
    for weight in (1, 0.5, 0):
        run = run_seqtrans("rescore", "-m", tiny_model, "--weight", weight, tmp_path / "source", input=text)
        assert run.returncode == 0, run.stderr.decode()
        assert sorted(entry[1] for entry in fields(run.stdout)) == ["", "\u00a0eins\u3000"]
        assert "nan" not in run.stdout.decode()


def test_without_weight_the_order_stays(
    tiny_model: Path, run_seqtrans: RunSeqtrans, lists: bytes, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(SOURCE)
    run = run_seqtrans("rescore", "-m", tiny_model, tmp_path / "source", "--weight", 0, input=lists)
    assert [entry[:2] + entry[3:] for entry in fields(run.stdout)] == [e[:2] + e[3:] for e in fields(lists)]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (b"0 ||| a ||| F= 1\n", 65, "<stdin>:1"),
        (b"0 ||| a ||| F= 1 ||| -1\nx ||| a ||| F= 1 ||| -1\n", 65, "<stdin>:2"),
        (b"7 ||| eins ||| F= 1 ||| -1\n", 65, "no line 7"),
        (b"0 ||| \xff ||| F= 1 ||| -1\n", 65, "UTF-8"),
        (b"0 ||| a ||| F= 1 ||| nan\n", 65, "<stdin>:1: its score is nan"),
        (
            b"1 ||| a ||| F= 1 ||| -1\n0 ||| a ||| F= 1 ||| -1\n1 ||| b ||| F= 1 ||| -1\n",
            65,
            "list 1: its lines are not consecutive",
        ),
    ],
)
def test_what_is_no_list_is_refused(
    tiny_model: Path, run_seqtrans: RunSeqtrans, tmp_path: Path, text: bytes, code: int, words: str
) -> None:
    (tmp_path / "source").write_bytes(SOURCE)
    run = run_seqtrans("rescore", "-m", tiny_model, tmp_path / "source", input=text)
    assert run.returncode == code
    assert words in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1


def test_a_translation_with_bars_has_the_score_that_it_was_found_with(
    run_seqtrans: RunSeqtrans, tmp_path: Path
) -> None:
    pairs, config, model = tmp_path / "pairs", tmp_path / "small.toml", tmp_path / "bars.safetensors"
    names = ["ant", "bee", "cow", "dog", "eel"]
    pairs.write_text("".join(f"{a} ||| {b}\t{a} ||| {b}\n" for a in names for b in names), "utf-8")
    config.write_text(
        '[text]\ntype = "word"\n[model]\nembedding = 32\nhidden = 64\ndropout = 0.0\n'
        "[training]\nbatch_size = 25\nlearning_rate = 0.01\nwarmup_steps = 10\nema = 0.9\n",
        "utf-8",
    )
    flags = ["--train", pairs, "--dev", pairs, "-o", model, "--config", config, "--max-steps", 120, "--threads", 1]
    trained = run_seqtrans("train", *flags)
    assert trained.returncode == 0, trained.stderr.decode()
    source = tmp_path / "source"
    source.write_text("bee ||| eel\nant ||| cow\n", "utf-8")
    lists = run_seqtrans(
        "translate", "-m", model, "--format", "moses", "--precision", "fp32", input=source.read_bytes()
    ).stdout
    assert [entry[1] for entry in fields(lists)] == ["bee &#124;&#124;&#124; eel", "ant &#124;&#124;&#124; cow"]
    rescored = fields(run_seqtrans("rescore", "-m", model, source, "--precision", "fp32", input=lists).stdout)
    assert [entry[:2] for entry in rescored] == [entry[:2] for entry in fields(lists)]
    for new, old in zip(rescored, fields(lists), strict=True):
        assert float(new[3]) == pytest.approx(float(old[3]), abs=1.1e-3)
