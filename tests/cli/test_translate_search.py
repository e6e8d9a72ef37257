"""`seqtrans translate`: ways to search, by flag, --set and --config; several models; a language model."""

from __future__ import annotations

import json
import os
import random
import re
import select
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from seqtrans.cli.settings import explicit_settings
from seqtrans.errors import UsageError
from seqtrans.inference.alignment import copied_subwords, copied_words, with_copies
from seqtrans.model.file import load_model, save_model
from seqtrans.search.settings import search_options
from seqtrans.text.subword_training import learn_subwords
from seqtrans.text.subwords import FIRST_PIECE_ID, UNK_ID
from tests.cli.running import SOURCE, lines
from tests.conftest import RunSeqtrans, seqtrans_environment
from tests.warm import WarmProcess


@pytest.fixture(scope="module")
def language_model(
    tiny_model: Path,
    parallel_text: tuple[Path, Path],
    run_seqtrans: RunSeqtrans,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A language model of the target side, with the translator's subwords."""
    folder = tmp_path_factory.mktemp("lm")
    (folder / "lm.toml").write_text("[model]\nembedding = 8\nhidden = 16\n[training]\nbptt = 10\n", "utf-8")
    run = run_seqtrans(
        "train", "--task", "lm", "--train", parallel_text[1], "--dev", parallel_text[1],
        "-o", folder / "lm.safetensors",
        "--config", folder / "lm.toml", "--subwords", tiny_model, "--max-steps", 20, "--threads", 1,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    return folder / "lm.safetensors"


def test_an_ensemble_of_a_model_with_itself_says_the_same(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    alone = lines(run_seqtrans("translate", "-m", tiny_model, "--precision", "fp32", input=SOURCE))
    for models in (["-m", tiny_model, tiny_model], ["-m", tiny_model, "-m", tiny_model]):
        assert lines(run_seqtrans("translate", *models, "--precision", "fp32", input=SOURCE)) == alone


def test_fusion(tiny_model: Path, language_model: Path, run_seqtrans: RunSeqtrans) -> None:
    def found(*flags: object) -> list[dict[str, Any]]:
        common = ["translate", "-m", tiny_model, "--precision", "fp32", "--format", "jsonl"]
        run = run_seqtrans(*common, *flags, input=SOURCE)
        assert run.returncode == 0, run.stderr.decode()
        return [json.loads(line)["hypotheses"][0] for line in run.stdout.splitlines()]

    assert found("--lm", language_model, "--lm-weight", 0) == found()
    both = found("--lm", language_model)
    assert both == found("--lm", language_model, "--set", "lm_weight=0.2")
    assert both[0]["log_prob"] < found()[0]["log_prob"]


def test_settings_come_from_the_environment_too(tiny_model: Path, run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    (tmp_path / "all.toml").write_text("[search]\nn_best = 2\n[model]\nhidden = 8\n", "utf-8")
    common = ["translate", "-m", tiny_model, "--format", "moses", "--config", tmp_path / "all.toml"]

    def count(value: str, *flags: object) -> int:
        run = run_seqtrans(*common, *flags, input=b"one two\n", env={"SEQTRANS_SEARCH_N_BEST": value})
        assert run.returncode == 0, run.stderr.decode()
        return run.stdout.count(b"\n")

    assert count("3") == 3
    assert count("3", "--set", "n_best=4") == 4
    run = run_seqtrans(*common, input=b"one\n", env={"SEQTRANS_SEARCH_N_BEST": "0"})
    assert run.returncode == 2
    assert b"environment: " in run.stderr
    assert b"at least 1" in run.stderr


def test_variables_of_other_programs_are_told_and_ignored(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    variables = {"SEQTRANS_ROOT": "/opt", "SEQTRANS_SEARCH_BEEM": "0", "SEQTRANS_MODEL_HIDDEN": "8"}
    run = run_seqtrans("translate", "-m", tiny_model, input=b"one two\n", env=variables)
    assert (run.returncode, run.stdout) == (0, b"zwei eins\n")
    assert run.stderr.decode() == (
        "seqtrans: warning: environment: no setting of this command, ignored: SEQTRANS_ROOT, SEQTRANS_SEARCH_BEEM "
        "(did you mean SEQTRANS_SEARCH_BEAM?)\n"
    )


def test_settings_come_from_flags_then_set_then_the_file(
    tiny_model: Path, run_seqtrans: RunSeqtrans, tmp_path: Path
) -> None:
    file = tmp_path / "search.toml"
    file.write_text("[search]\nlength_penalty = 0\nbeam = 3\nmax_ratio = 0\nmax_extra = 1\n", "utf-8")

    def score(*flags: object) -> tuple[float, list[float]]:
        common = ["translate", "-m", tiny_model, "--format", "jsonl", "--config", file]
        run = run_seqtrans(*common, *flags, input=b"one two three\n")
        assert run.returncode == 0, run.stderr.decode()
        (found,) = json.loads(run.stdout)["hypotheses"]
        return found["score"] - found["log_prob"], found["subword_log_probs"]

    ratio, logs = score()
    assert ratio == pytest.approx(0, abs=1e-3)
    assert len(logs) <= 2
    assert len(score("--set", "max_extra=5")[1]) > 2
    assert score("--set", "length_penalty=1", "max_extra=5")[0] > 0.0
    assert score("--set", "length_penalty=1", "max_extra=5", "--length-penalty", 0)[0] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("lenght_penalty=1", "did you mean 'length_penalty'?"),
        ("beam=wide", "whole number"),
        ("beam=0", "at least 1"),
        ("no_repeat=-1", "at least 0"),
        ("alignments=true", "unknown"),
        ("length_rule=long", "'power', 'gnmt'"),
        ("n_best=6", "--beam 6"),
    ],
)
def test_wrong_values_are_refused(setting: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        search_options([], explicit_settings([setting], {}))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--set", "beam"], "KEY=VALUE"),
        (["--set", "forbid=nosuchthing"], "nosuchthing"),
        (["--set", "forbid=</s>"], "would end"),
        (["--lm-weight", "0.3"], "without a language model (--lm)"),
        (["--set", "ensemble=log-probabilities"], "without several models"),
        (["--set", "max_expansions=9"], "without exact"),
        (["--set", "seed=9"], "without sample"),
        (["--set", "mbr=chrf", "--sample", "1"], "more than one sample"),
        (["--set", "diversity=1"], "without groups"),
        (["--set", "groups=2"], "5 hypotheses cannot be divided into 2; add --beam 6"),
        (["--sample", "-1"], "at least 0"),
        (["--report", "-"], "name a file"),
        (["--processes", "2", "--threads", "-1"], "'--threads'"),
        (["--set", "groups=5", "--require"], "leave out groups"),
        (["--set", "groups=5", "--prefix"], "leave out groups"),
        (["--sample", "2", "--require", "--format", "moses"], "leave out require"),
        (["--exact", "--report", "x.json"], "leave out report"),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    tiny_model: Path, run_seqtrans: RunSeqtrans, flags: list[str], words: str
) -> None:
    run = run_seqtrans("translate", "-m", tiny_model, *flags, input=b"one\n")
    assert run.returncode == 2
    assert run.stdout == b""
    assert words in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1


def test_a_model_of_another_vocabulary_is_refused(
    tiny_model: Path, run_seqtrans: RunSeqtrans, tiny_config: Path, tmp_path: Path
) -> None:
    other, text = tmp_path / "other.safetensors", tmp_path / "text.tsv"
    text.write_text("".join(f"{a}b {b}a\t{b}c {a}d\n" for a in "aeiou" for b in "xyz"), "utf-8")
    run = run_seqtrans(
        "train", "--train", text, "--dev", text, "-o", other,
        "--config", tiny_config, "--max-steps", 2, "--threads", 1,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    run = run_seqtrans("translate", "-m", tiny_model, other, input=b"one\n")
    assert run.returncode == 2
    assert b"cannot work together" in run.stderr
    run = run_seqtrans("translate", "-m", tiny_model, "--lm", other, input=b"one\n")
    assert run.returncode == 2
    assert b"language model" in run.stderr


def test_groups_of_a_beam(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    def found(*flags: object) -> list[list[str]]:
        common = ["translate", "-m", tiny_model, "--format", "jsonl", "--beam", 6, "--n-best", 6, "--precision", "fp32"]
        run = run_seqtrans(*common, *flags, input=SOURCE)
        assert run.returncode == 0, run.stderr.decode()
        return [[h["text"] for h in json.loads(line)["hypotheses"]] for line in run.stdout.splitlines()]

    diverse = found("--set", "groups=3")
    assert diverse == found("--set", "groups=3", "diversity=0.5") != found()
    assert all(len(set(texts)) == len(texts) for texts in diverse)


def test_a_report_holds_the_search(tiny_model: Path, run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    common = ["translate", "-m", tiny_model, "--beam", 3, "--precision", "fp32"]
    plain = run_seqtrans(*common, input=SOURCE)
    for flags in ([], ["--processes", 2, "--batch-size", 1]):
        run = run_seqtrans(*common, "--report", tmp_path / "beam.json", *flags, input=SOURCE)
        assert run.returncode == 0, run.stderr.decode()
        assert run.stdout == plain.stdout
        told = [json.loads(line) for line in (tmp_path / "beam.json").read_text("utf-8").splitlines()]
        assert [one["line"] for one in told] == [0, 1, 2, 3]
        assert [one["translation"] for one in told] == plain.stdout.decode().splitlines()
        assert told[2]["steps"] == []
        texts, best = [""], (-1e9, "")
        for step in told[0]["steps"]:
            best = max(best, *((end["score"], texts[end["parent"]]) for end in step["finished"]))
            assert len(step["kept"]) == 3
            texts = [texts[one["parent"]] + one["subword"] if one else "" for one in step["kept"]]
        assert best[1].replace("\u2581", " ").strip() == told[0]["translation"]


def test_a_list_holds_a_text_once(run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    """Subwords of one, two and more letters write a text in several ways."""
    text, model = tmp_path / "text", tmp_path / "letters.safetensors"
    draw = random.Random(1)
    text.write_text("".join("".join(draw.choices("ab", k=draw.randint(1, 6))) + "\n" for _ in range(200)), "utf-8")
    run = run_seqtrans(
        "train", "--train", text, text, "--dev", text, text, "-o", model, "--max-steps", 5, "--threads", 1,
        env={"SEQTRANS_TEXT_VOCAB_SIZE": "20", "SEQTRANS_MODEL_HIDDEN": "8", "SEQTRANS_MODEL_EMBEDDING": "8"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    # all that there is of two subwords, "a b" for one in two ways
    flags = ["--beam", 500, "--n-best", 500, "--format", "jsonl", "--set", "max_ratio=0", "max_extra=2"]
    run = run_seqtrans("translate", "-m", model, *flags, input=b"ab\n")
    hypotheses = json.loads(run.stdout)["hypotheses"]
    texts = [h["text"] for h in hypotheses]
    assert len(set(texts)) == len(texts) > 50
    pieces = load_model(model).target_subwords.size - FIRST_PIECE_ID + 1  # and the unknown one
    assert len(texts) < 1 + pieces + pieces**2
    assert [h["score"] for h in hypotheses] == sorted((h["score"] for h in hypotheses), reverse=True)


def test_every_scorer_runs_in_bfloat16(tiny_model: Path, language_model: Path, run_seqtrans: RunSeqtrans) -> None:
    for flags in (["-m", tiny_model, "-m", tiny_model], ["-m", tiny_model, "--lm", language_model]):
        run = run_seqtrans("translate", *flags, "--precision", "bf16", input=SOURCE)
        assert lines(run)[0] == "drei zwei eins"


def test_settings_for_a_search_do_not_disturb_samples(
    tiny_model: Path, run_seqtrans: RunSeqtrans, tmp_path: Path
) -> None:
    (tmp_path / "g.toml").write_text("[search]\nbeam = 4\ngroups = 2\n", "utf-8")
    common = ["translate", "-m", tiny_model, "--sample", 2, "--format", "moses"]
    plain = run_seqtrans(*common, input=SOURCE)
    run = run_seqtrans(*common, "--config", tmp_path / "g.toml", input=SOURCE)
    assert (run.returncode, run.stdout) == (0, plain.stdout)
    run = run_seqtrans("translate", "-m", tiny_model, "--config", tmp_path / "g.toml", "--report", tmp_path / "g.toml")
    assert run.returncode == 2
    assert "would be overwritten" in run.stderr.decode()


def test_copies_stand_where_they_are_attended_to() -> None:
    source = learn_subwords(["abc abd bad", "cab"], "char", 100)
    words = learn_subwords(["one two", "three"], "word", 100)
    line = "ab \u017b ba"
    pieces, ids = source.encode_pieces(line), source.encode(line)
    at = pieces.index("\u017b")
    weights = torch.full((2, len(ids) + 1), 0.01)
    weights[0, 0] = weights[1, at] = 0.5
    weights[:, -1] = 0.9  # EOS has no copy
    copies = copied_subwords(pieces)
    assert copies[0] == ""  # the space
    assert with_copies([UNK_ID, UNK_ID], weights, copies, source)[1] == "\u017b"
    assert with_copies([UNK_ID, UNK_ID], weights, copies, source)[0] != ""
    copies = copied_words(source, pieces, ids)
    assert with_copies([words.id_of("\u2581one"), UNK_ID], weights, copies, words) == ["\u2581one", "\u2581\u017b"]
    assert with_copies([UNK_ID], weights[:1], [""], words) == words.pieces([UNK_ID])


def test_unknown_words_are_copied(tiny_model: Path, run_seqtrans: RunSeqtrans, tmp_path: Path) -> None:
    """A model that says nothing but the unknown word, and attends to what it likes."""
    model = load_model(tiny_model)
    with torch.no_grad():
        model.network.output_bias[UNK_ID] = 50.0
    save_model(tmp_path / "unknown.safetensors", model)
    common = ["translate", "-m", tmp_path / "unknown.safetensors", "--beam", 1]
    (unknown, *_) = lines(run_seqtrans(*common, input=SOURCE))
    assert set(unknown.split()) == {"\u2047"}
    copied = lines(run_seqtrans(*common, "--set", "copy_unknown=true", input="Zoë Łukasz\nx\n\ny\n".encode()))
    assert set(copied[0].split()) <= {"Zoë", "Łukasz"}
    assert set(copied[1].split()) == {"x"}


def test_several_processes_say_the_same_line_for_line(
    tiny_model: Path, run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path]
) -> None:
    text = parallel_text[0].read_bytes()
    source = text + b"\n\xff bad\n"
    flags = ["translate", "-m", tiny_model, "--precision", "fp32", "--format", "jsonl", "--batch-size", 4]
    one, several = (run_seqtrans(*flags, "--processes", number, input=source) for number in (1, 3))
    assert several.returncode == one.returncode == 0
    assert several.stdout == one.stdout
    assert several.stderr == one.stderr
    assert b"not valid UTF-8" in several.stderr


def test_a_process_that_dies_is_told_of(tiny_model: Path, tmp_path: Path, warm_process: WarmProcess) -> None:
    text, answers = tmp_path / "text", tmp_path / "answers"
    os.mkfifo(text)
    os.mkfifo(answers)
    arguments = ["translate", "-m", str(tiny_model), "--processes", "2"]
    with (
        text.open("r+b", buffering=0) as stdin, answers.open("r+b", buffering=0) as stdout,
        (tmp_path / "said").open("w+b") as stderr,
    ):  # fmt: skip
        streams = {number: stream.fileno() for number, stream in enumerate((stdin, stdout, stderr))}
        with warm_process.begin(arguments, streams, seqtrans_environment(), 60) as command:
            stdin.write(b"one two\n")
            assert select.select([stdout], [], [], 60)[0]
            assert stdout.readline() == b"zwei eins\n"
            children = Path(f"/proc/{command.process}/task/{command.process}/children").read_text("ascii").split()
            assert len(children) == 2
            os.kill(int(children[0]), signal.SIGKILL)
            stdin.write(b"one\n")
            assert command.wait() == 1
        stderr.seek(0)
        assert stderr.read() == b"seqtrans: a process ended before its work was done: out of memory?\n"


def test_an_exact_search_says_what_it_has_proven(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans(
        "translate", "-m", tiny_model, "--exact", "--format", "jsonl", "--length-penalty", 0, input=SOURCE
    )
    assert run.returncode == 0
    proven = [json.loads(line)["proven"] for line in run.stdout.splitlines()]
    assert proven[2]
    assert f"{sum(proven)} of 4 translations are proven" in run.stderr.decode()
    assert sum(proven) > 1
    run = run_seqtrans("translate", "-m", tiny_model, "--exact", "--set", "max_expansions=1", input=SOURCE)
    assert b"1 of 4 translations are proven" in run.stderr
    run = run_seqtrans("translate", "-m", tiny_model, "--exact", "--n-best", 2, "--format", "moses", input=SOURCE)
    assert run.returncode == 2


def test_samples(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    flags = ["translate", "-m", tiny_model, "--precision", "fp32", "--sample", 3, "--format", "jsonl"]
    flags += ["--set", "temperature=3"]

    def found(*more: object) -> list[list[str]]:
        run = run_seqtrans(*flags, *more, input=SOURCE)
        assert run.returncode == 0, run.stderr.decode()
        return [[h["text"] for h in json.loads(line)["hypotheses"]] for line in run.stdout.splitlines()]

    first = found()
    assert [len(texts) for texts in first] == [3, 3, 1, 3]
    assert found("--batch-size", 2, "--processes", 2) == first
    assert found("seed=9") != first
    assert [len(texts) for texts in found("mbr=chrf")] == [1, 1, 1, 1]
    assert [len(texts) for texts in found("mbr=bleu", "--n-best", 2)] == [2, 2, 1, 2]
    for wrong in (["--beam", 2], ["--exact"], ["--n-best", 2], ["--format", "text"], ["mbr=chrf", "--n-best", 4]):
        assert run_seqtrans(*flags, *wrong, input=SOURCE).returncode == 2


def test_the_translation_most_like_the_others_of_a_beam(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    found = lines(run_seqtrans("translate", "-m", tiny_model, "--set", "mbr=chrf", input=SOURCE))
    assert all(found[i] for i in (0, 1, 3))
    for wrong in (["--beam", 1], ["--exact"]):
        assert run_seqtrans("translate", "-m", tiny_model, "--set", "mbr=chrf", *wrong, input=SOURCE).returncode == 2


def test_verbose_tells_how_fast(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("translate", "-m", tiny_model, "--verbose", input=SOURCE)
    lines(run)
    assert b"4 lines in " in run.stderr
    assert b" a second\n" in run.stderr


def test_int8_says_nearly_the_same(
    tiny_model: Path, run_seqtrans: RunSeqtrans, parallel_text: tuple[Path, Path]
) -> None:
    source = parallel_text[0].read_bytes()
    exact, rough = (
        run_seqtrans("translate", "-m", tiny_model, "--precision", precision, input=source).stdout.splitlines()
        for precision in ("fp32", "int8")
    )
    assert len(exact) == len(rough)
    assert sum(a == b for a, b in zip(exact, rough, strict=True)) >= 0.9 * len(exact)
