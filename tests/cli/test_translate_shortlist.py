"""`seqtrans translate --shortlist`: only likely translations of what stands in a line."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from seqtrans.model.file import load_model
from tests.conftest import RunSeqtrans


@pytest.fixture(scope="module")
def many_words(run_seqtrans: RunSeqtrans, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 1,200 words, each with a translation of its own, that has learned little but its shortlist."""
    folder = tmp_path_factory.mktemp("words")
    draw = random.Random(5)
    pairs = [[*range(n, n + 4), *draw.choices(range(1200), k=2)] for n in range(0, 1200, 4)] * 3
    (folder / "text.tsv").write_text(
        "".join("\t".join(" ".join(f"{side}{n}" for n in pair) for side in "ab") + "\n" for pair in pairs), "utf-8"
    )
    (folder / "words.toml").write_text(
        '[text]\ntype = "word"\nshortlist = 1\n[model]\nembedding = 8\nhidden = 8\n', "utf-8"
    )
    run = run_seqtrans(
        "train", "--train", folder / "text.tsv", "--dev", folder / "text.tsv", "-o", folder / "words.safetensors",
        "--config", folder / "words.toml", "--max-steps", 1, "--threads", 1,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    return folder / "words.safetensors"


def test_a_shortlist_leaves_what_a_line_lets_expect(many_words: Path, run_seqtrans: RunSeqtrans) -> None:
    def found(*flags: object) -> list[str]:
        common = ["translate", "-m", many_words, "--format", "jsonl", "--beam", 4, "--n-best", 4, "--threads", 1]
        run = run_seqtrans(*common, *flags, input=b"a1 a7 a1\na300\n")
        assert run.returncode == 0, run.stderr.decode()
        return run.stdout.decode().splitlines()

    model = load_model(many_words)
    listed, subwords = model.shortlist, model.target_subwords
    assert listed is not None
    for word in (1, 7, 300):
        translations = listed.translations_VN[model.source_subwords.id_of(f"\u2581a{word}")]
        assert subwords.id_of(f"\u2581b{word}") in translations
    frequent = set(listed.always_A.tolist())
    for flags in (["--shortlist"], ["--set", "shortlist=true"], ["--shortlist", "--batch-size", 1]):
        lines = found(*flags)
        for line, expected in zip(lines, ({"b1", "b7"}, {"b300"}), strict=True):
            said = {piece for h in json.loads(line)["hypotheses"] for piece in h["subwords"]}
            assert {piece for piece in said if subwords.id_of(piece) not in frequent} <= {
                f"\u2581{w}" for w in expected
            }
        assert lines != found()
    assert found("--shortlist", "--processes", 2) == found("--shortlist")


def test_nothing_is_learned_for_a_resumption_that_is_refused(many_words: Path, run_seqtrans: RunSeqtrans) -> None:
    other = many_words.with_name("other.tsv")
    other.write_bytes(many_words.with_name("text.tsv").read_bytes() + b"a1\tb1\n")
    run = run_seqtrans(
        "train", "--train", other, "--dev", many_words.with_name("text.tsv"), "-o", many_words, "--resume",
        "--config", many_words.with_name("words.toml"), "--max-steps", 2, "--threads", 1,
    )  # fmt: skip
    assert run.returncode == 65
    assert b"not what this training began with" in run.stderr
    assert b"learning" not in run.stderr


@pytest.mark.parametrize(
    ("flags", "words"), [(["--exact"], "leave out shortlist"), ([], "fewer than 1,000 target subwords")]
)
def test_a_shortlist_that_is_not_there_or_proves_nothing_is_refused(
    tiny_model: Path, run_seqtrans: RunSeqtrans, flags: list[str], words: str
) -> None:
    run = run_seqtrans("translate", "-m", tiny_model, "--shortlist", *flags, input=b"one\n")
    assert run.returncode == 2
    assert words in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1


def test_a_shortlist_in_bfloat16(many_words: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("translate", "-m", many_words, "--shortlist", "--precision", "bf16", input=b"a1 a2\n" * 3)
    assert run.returncode == 0, run.stderr.decode()
    assert len(set(run.stdout.split(b"\n")[:-1])) == 1
