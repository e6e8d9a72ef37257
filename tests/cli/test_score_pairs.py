"""`seqtrans score --model` with a translator: what it thinks of translations."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from seqtrans.device import choose_compute
from seqtrans.inference.forced_decoding import ForcedDecoder
from seqtrans.model.file import load_model
from tests.conftest import RunSeqtrans

SOURCE = b"one two\n\nthree\nfour five six seven\nsomething else\n"


@pytest.mark.parametrize("beam", [1, 4])
def test_a_translation_has_the_score_it_was_found_with(
    tiny_model: Path, run_seqtrans: RunSeqtrans, tmp_path: Path, beam: int
) -> None:
    run = run_seqtrans(
        "translate", "-m", tiny_model, "--beam", beam, "--precision", "fp32", "--format", "jsonl", input=SOURCE
    )
    found = [json.loads(line)["hypotheses"][0] for line in run.stdout.splitlines()]
    (tmp_path / "source").write_bytes(SOURCE)
    (tmp_path / "target").write_text("".join(h["text"] + "\n" for h in found), "utf-8")
    scored = run_seqtrans(
        "score", "--model", tiny_model, tmp_path / "source", tmp_path / "target", "--sentences", "--precision", "fp32"
    )
    assert scored.returncode == 0, scored.stderr.decode()
    lines = [line.split("\t") for line in scored.stdout.decode().splitlines()]
    assert len(lines) == len(found)
    for h, (log_prob, subwords, _) in zip(found, lines, strict=True):
        assert float(log_prob) == pytest.approx(h["log_prob"], abs=1.1e-3)  # of the last decimal
        assert int(subwords) == len(h["subword_log_probs"])
    assert lines[1][:2] == ["-0.000", "0"] or lines[1][:2] == ["0.000", "0"]
    assert re.fullmatch(r"perplexity [\d.]+ a subword, .* 5 lines, .*", scored.stderr.decode().splitlines()[-1])


def test_long_pairs_are_scored_in_parts(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forcer = ForcedDecoder(load_model(tiny_model), choose_compute("cpu", "fp32"))
    pairs = ["one two three four five", "six"], ["fünf vier drei zwei eins", "sechs sechs"]
    whole = forcer.force(*pairs)
    monkeypatch.setattr("seqtrans.inference.forced_decoding.MAX_AREA", 13)  # two subwords of the first at a time
    for one, other in zip(whole, forcer.force(*pairs), strict=True):
        assert one.tokens == other.tokens
        assert one.token_log_probs == pytest.approx(other.token_log_probs, abs=1e-5)


def test_good_translations_are_likelier_and_one_file_is_enough(
    tiny_model: Path, run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path]
) -> None:
    source, target = (path.read_text("utf-8").splitlines() for path in parallel_text)

    def perplexity(targets: list[str]) -> float:
        pairs = "".join(f"{s}\t{t}\n" for s, t in zip(source, targets, strict=True))
        run = run_seqtrans("score", "--model", tiny_model, "--json", input=pairs.encode())
        assert run.returncode == 0, run.stderr.decode()
        return float(json.loads(run.stdout)["perplexity"])

    assert perplexity(target) < 2 < perplexity(target[1:] + target[:1])


@pytest.mark.parametrize(
    ("lines", "flags", "code", "words"),
    [
        ((b"a\n", b"a\nb\n"), [], 65, "1 lines and"),
        ((b"a\tb\tc\n",), [], 65, "2 TABs"),
        ((b"a\n", b"\xff\n"), [], 65, "UTF-8"),
        ((b"a\n", b"b\n", b"c\n"), [], 2, "SOURCE and TARGET"),
        ((b"a\n", b"b\n"), ["--alone"], 2, "--alone"),
        ((b"a\n", b"b\n"), ["--metric", "bleu"], 2, "--metric"),
    ],
)
def test_what_is_no_parallel_text_is_refused(
    tiny_model: Path,
    run_seqtrans: RunSeqtrans,
    tmp_path: Path,
    lines: tuple[bytes, ...],
    flags: list[str],
    code: int,
    words: str,
) -> None:
    files = [tmp_path / str(number) for number in range(len(lines))]
    for file, content in zip(files, lines, strict=True):
        file.write_bytes(content)
    run = run_seqtrans("score", *files, "--model", tiny_model, *flags)
    assert run.returncode == code
    assert run.stdout == b""
    assert words in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1
