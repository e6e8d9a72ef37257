"""Taggers by the command line: as many tags as tokens, whatever comes in."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from seqtrans.inference.tagging import MARGIN, MAX_TOKENS, _bounds
from tests.conftest import RunSeqtrans

CONFIG = """\
[model]
embedding = 16
hidden = 32
encoder_layers = 1
dropout = 0.0
[training]
batch_size = 16
learning_rate = 0.02
warmup_steps = 5
validate_every = 60
ema = 0.9
"""
WORDS = ["Anna", "Otto", "geht", "sieht", "das", "Haus"]


def sentence(draw: random.Random) -> str:
    return " ".join(draw.choices(WORDS, k=draw.randint(1, 6)))


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences, the same without capitals, and whether each word is a name."""
    folder, draw = tmp_path_factory.mktemp("texts"), random.Random(3)
    (folder / "tag.toml").write_text(CONFIG, "utf-8")
    for name, count in (("train", 150), ("dev", 20)):
        lines = [sentence(draw) for _ in range(count)]
        tags = [" ".join("NAME" if word in WORDS[:2] else "other" for word in line.split()) for line in lines]
        for kind, text in (("plain", [line.lower() for line in lines]), ("full", lines), ("tags", tags)):
            (folder / f"{name}.{kind}").write_text("".join(f"{line}\n" for line in text), "utf-8")
    return folder


def train(run_seqtrans: RunSeqtrans, texts: Path, output: Path, sides: tuple[str, str], *more: object) -> str:
    files = [[texts / f"{name}.{side}" for side in sides] for name in ("train", "dev")]
    run = run_seqtrans(
        "train", "--task", "tag", "--train", *files[0], "--dev", *files[1], "-o", output,
        "--config", texts / "tag.toml", "--threads", 1, *more,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    return run.stderr.decode()


@pytest.fixture(scope="module")
def capitals(texts: Path, run_seqtrans: RunSeqtrans) -> Path:
    output = texts / "capitals.safetensors"
    said = train(run_seqtrans, texts, output, ("plain", "full"), "--max-steps", 120)
    assert f"tag with: seqtrans translate -m {output} < TEXT" in said
    assert "cer" in said
    return output


def test_capitals_come_back_and_nothing_is_lost(texts: Path, capitals: Path, run_seqtrans: RunSeqtrans) -> None:
    plain = (texts / "dev.plain").read_bytes()
    run = run_seqtrans("translate", "-m", capitals, input=plain)
    assert run.stdout == (texts / "dev.full").read_bytes()
    odd = ["", " ", "anna", "日本 anna 語語語", "  geht\tdas ", "x" * 1700, "otto " * 400, "q"]
    text = "".join(f"{line}\n" for line in odd).encode()
    for size in (1, 3, 64):
        run = run_seqtrans("translate", "-m", capitals, "--batch-size", size, "--precision", "fp32", input=text)
        found = run.stdout.decode().split("\n")[:-1]
        assert [len(line) for line in found] == [len(line) for line in odd]
        assert found[2:4] == ["Anna", "日本 Anna 語語語"]
        assert found[5] == odd[5]
        assert found[6] == "Otto " * 400


def test_what_a_file_or_the_environment_says_to_searches_is_not_for_it(
    texts: Path, capitals: Path, run_seqtrans: RunSeqtrans
) -> None:
    (texts / "search.toml").write_text("[search]\ncopy_unknown = true\nn_best = 3\nsample = 3\nbeam = 9\n", "utf-8")
    flags = ["translate", "-m", capitals, "--config", texts / "search.toml"]
    run = run_seqtrans(*flags, input=b"anna\n", env={"SEQTRANS_SEARCH_BEAM": "10"})
    assert run.returncode == 0, run.stderr.decode()
    assert run.stdout == b"Anna\n"


def test_a_line_that_would_be_cut_is_refused(capitals: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("translate", "-m", capitals, input=b"anna\n" + b"x" * 1_100_000 + b"\n")
    assert run.returncode == 65
    assert b"<stdin>:2: is longer than 1048576 bytes; break it into lines first" in run.stderr


def test_a_long_line_is_read_in_pieces_that_know_their_neighbours() -> None:
    for length in (1, 499, 500, 501, 550, 551, 900, 901, 5000):
        pieces = list(_bounds(length))
        assert [first for *_, first, _ in pieces] == [0, *(last for *_, last in pieces[:-1])]
        assert pieces[-1][3] == length
        for begin, end, first, last in pieces:
            assert begin == max(0, first - MARGIN)
            assert end == min(length, last + MARGIN)
            assert 0 < end - begin <= MAX_TOKENS


def test_words_have_tags(texts: Path, tmp_path: Path, run_seqtrans: RunSeqtrans) -> None:
    output = tmp_path / "names.safetensors"
    (tmp_path / "words.toml").write_text(CONFIG + "metric = 'wer'\n[text]\ntype = 'word'\n", "utf-8")
    train(run_seqtrans, texts, output, ("full", "tags"), "--max-steps", 80, "--config", tmp_path / "words.toml")
    run = run_seqtrans("translate", "-m", output, input=(texts / "dev.full").read_bytes())
    assert run.stdout == (texts / "dev.tags").read_bytes()
    run = run_seqtrans("translate", "-m", output, "--format", "jsonl", input=b"Anna geht  nirgends hin\n\n")
    first, blank = map(json.loads, run.stdout.decode().splitlines())
    assert first["hypotheses"][0]["subwords"][:2] == ["▁NAME", "▁other"]
    assert len(first["hypotheses"][0]["text"].split()) == len(first["hypotheses"][0]["subword_log_probs"]) == 4
    assert blank["hypotheses"][0]["text"] == ""


def test_a_stopped_and_resumed_training_ends_with_the_same_bytes(
    texts: Path, tmp_path: Path, run_seqtrans: RunSeqtrans
) -> None:
    (tmp_path / "constant.toml").write_text(CONFIG + "decay = 'constant'\n", "utf-8")
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    for output, steps in ((whole, [18]), (parts, [7, 18])):
        for count in steps:
            more = ("--max-steps", count, "--resume", "--config", tmp_path / "constant.toml")
            train(run_seqtrans, texts, output, ("plain", "full"), *more)
    assert whole.read_bytes() == parts.read_bytes()


def test_pairs_with_unequal_sides_are_dropped_and_counted(
    texts: Path, tmp_path: Path, run_seqtrans: RunSeqtrans
) -> None:
    for name in ("train", "dev"):
        for side in ("plain", "full"):
            text = (texts / f"{name}.{side}").read_text("utf-8")
            (tmp_path / f"{name}.{side}").write_text("x" * (side == "full") + text, "utf-8")
    (tmp_path / "tag.toml").write_text(CONFIG, "utf-8")
    said = train(run_seqtrans, tmp_path, tmp_path / "x.safetensors", ("plain", "full"), "--max-steps", 1)
    assert "150 pairs, 149 kept, 1 dropped: unequal numbers of tokens" in said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["translate", "--n-best", 2, "--format", "jsonl"], "leave out --n-best"),
        (["translate", "--beam", 3], "does not search: leave out --beam"),
        (["translate", "--alignment", "words"], "leave out --alignment"),
        (["translate", "--set", "word_reward=1", "--beam", 2], "leave out --set word_reward, --beam"),
        (["translate", "--report", "searches.jsonl"], "does not search: leave out --report"),
        (["generate"], "this model is a tagger, not a language model"),
        (["score"], "this model is a tagger, not a language model"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    capitals: Path, run_seqtrans: RunSeqtrans, words: list[object], reason: str
) -> None:
    command, *rest = words
    run = run_seqtrans(command, "--model", capitals, *rest, input=b"anna\n")
    assert run.returncode == 2
    assert reason in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1
    assert not run.stdout


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("[model]\nattention = 'dot'\n", "attention does not apply to a tagger"),
        ("[model]\ndecoder_layers = 3\n", "decoder_layers does not apply to a tagger"),
        ("[model]\ntied_embeddings = true\n", "no embedding of tags to tie"),
        ("[model]\ncache = 10\n", "cache does not apply to a tagger"),
        ("[training]\nbptt = 5\n", "bptt does not apply to a tagger"),
        ("[text]\ntype = 'bpe'\n", "a tagger needs subwords of type char or word, not bpe"),
    ],
)
def test_settings_that_make_no_tagger_are_refused(
    texts: Path, tmp_path: Path, run_seqtrans: RunSeqtrans, toml: str, reason: str
) -> None:
    (tmp_path / "wrong.toml").write_text(toml, "utf-8")
    sides = [texts / "train.plain", texts / "train.full"]
    run = run_seqtrans(
        "train", "--task", "tag", "--train", *sides, "--dev", *sides, "-o", tmp_path / "x.safetensors",
        "--config", tmp_path / "wrong.toml",
    )  # fmt: skip
    assert run.returncode == 2
    assert reason in run.stderr.decode()


def test_inspect_shows_what_a_tagger_has(capitals: Path, run_seqtrans: RunSeqtrans) -> None:
    facts = json.loads(run_seqtrans("inspect", capitals, "--json").stdout)
    assert facts["architecture"]["task"] == "tag"
    assert "attention" not in facts["architecture"]
