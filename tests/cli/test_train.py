"""`seqtrans train` as a user calls it."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from seqtrans.model.file import trained_steps
from tests import packages
from tests.conftest import ROOT, RunSeqtrans, dev_of, seqtrans_command, seqtrans_environment
from tests.warm import WarmProcess

Text = tuple[Path, Path]


def arguments(text: Text, config: Path, output: Path, *more: object) -> list[object]:
    """A short training of the tiny model."""
    return [
        "train", "--train", *text, "--dev", *dev_of(text), "-o", output, "--config", config, "--threads", 1, *more,
    ]  # fmt: skip


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def one_line(stderr: bytes) -> str:
    """The error, which is the last line and no traceback."""
    text = stderr.decode()
    assert "Traceback" not in text
    last = text.rstrip("\n").rsplit("\n", 1)[-1]
    assert last.startswith("seqtrans: ")
    return last


def test_a_training_tells_what_it_does_and_what_it_kept(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    model = tmp_path / "m.safetensors"
    length = ["--max-steps", 50, "--set", "validate_every=30"]
    run = run_seqtrans(*arguments(parallel_text, tiny_config, model, *length, "--resume"))
    assert run.returncode == 0, run.stderr.decode()
    assert run.stdout == b""
    said = run.stderr.decode()
    assert "200 pairs, 200 kept" in said
    assert "(best so far, kept)" in said
    assert f"seqtrans translate -m {model}" in said
    assert said.count("      -> ") == said.count("\n       = ") == 3  # shown whole the first time
    assert 1 <= said.count(". -> ") <= 3  # then only translations that have changed
    records = [json.loads(line) for line in model.with_suffix(".log.jsonl").read_text("utf-8").splitlines()]
    assert {r["event"] for r in records} == {"step", "validation"}
    assert [r["step"] for r in records if r["event"] == "validation"] == [30, 50]
    last = model.with_suffix(".state") / "last-model.safetensors"
    facts = json.loads(run_seqtrans("inspect", last, "--json").stdout)
    assert facts["history"]["steps"] == 50


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    digests = []
    for number, seed in enumerate((7, 7, 8)):
        model = tmp_path / f"m{number}.safetensors"
        flags = arguments(parallel_text, tiny_config, model, "--max-steps", 12, "--seed", seed)
        run = run_seqtrans(*flags)
        assert run.returncode == 0, run.stderr.decode()
        digests.append(sha256(model))
    assert digests[0] == digests[1] != digests[2]


def begin(command: list[str], model: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start a training; it has added to its log."""
    log = model.with_suffix(".log.jsonl")
    before = log.stat().st_size if log.exists() else 0
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=seqtrans_environment(**environment))
    while process.poll() is None and not (log.exists() and log.stat().st_size > before):
        time.sleep(0.02)
    return process


@pytest.mark.parametrize(
    ("number", "most_stops", "hash_seed"),
    [
        (signal.SIGTERM, 1, ""),
        pytest.param(signal.SIGTERM, 2, "1", marks=pytest.mark.prove),
        pytest.param(signal.SIGINT, 2, "2", marks=pytest.mark.prove),
    ],
)
def test_a_stopped_and_resumed_training_keeps_others_out_and_ends_with_the_same_bytes(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans, warm_process: WarmProcess,
    number: signal.Signals, most_stops: int, hash_seed: str,
) -> None:  # fmt: skip
    """With a hash seed, its parts run in other Pythons, whose sets have another order. A second stop is after a model.

    A warm process cannot have one: Python reads it when it starts.
    """
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    length = ["--max-steps", 80, "--set", "validate_every=50"]
    assert run_seqtrans(*arguments(parallel_text, tiny_config, whole, *length)).returncode == 0
    flags = arguments(parallel_text, tiny_config, parts, *length)
    words, pause, environment = warm_process.words, signal.SIGTSTP, {}
    if hash_seed:
        words, pause, environment = seqtrans_command, signal.SIGSTOP, {"PYTHONHASHSEED": hash_seed}
    command = words(*flags)
    for stop in range(most_stops):
        with begin(command, parts, **environment) as process:
            process.send_signal(pause)
            second = run_seqtrans(*flags, "--resume")
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)
            _, stderr = process.communicate(timeout=60)
        if process.returncode == 0 and stop:
            break  # it had ended before
        assert second.returncode == 74
        assert "another training" in one_line(second.stderr)
        assert process.returncode == 128 + number, stderr.decode()
        assert "--resume continues" in one_line(stderr)
        assert ("before there was a model" in one_line(stderr)) is not parts.exists()
        third = run_seqtrans(*flags)
        assert third.returncode == 2  # what is unfinished is not overwritten
        assert "--resume" in one_line(third.stderr)
        command = words(*flags, "--resume")
    assert run_seqtrans(*flags, "--resume").returncode == 0
    assert sha256(parts) == sha256(whole)
    states = [path.with_suffix(".state") / "last.safetensors" for path in (whole, parts)]
    assert weights(states[0]) == weights(states[1])


def weights(checkpoint: Path) -> dict[str, bytes]:
    """Every tensor of a checkpoint, optimiser and average included; seconds and log length differ."""
    from safetensors.numpy import load_file

    return {name: array.tobytes() for name, array in load_file(checkpoint).items()}


def test_resuming_with_other_settings_or_other_text_is_refused(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    source, target = (tmp_path / path.name for path in parallel_text)
    for old, new in zip(parallel_text, (source, target), strict=True):
        new.write_bytes(old.read_bytes())
    subwords, others = tmp_path / "a.model", tmp_path / "b.model"
    for path, kind in ((subwords, "bpe"), (others, "unigram")):
        learned = run_seqtrans("tokenize", "learn", "--type", kind, "--vocab-size", 40, "-o", path, source, target)
        assert learned.returncode == 0, learned.stderr.decode()
    model = tmp_path / "m.safetensors"
    base = arguments((source, target), tiny_config, model)
    assert run_seqtrans(*base, "--max-steps", 5, "--subwords", subwords).returncode == 0
    more = [*base, "--max-steps", 10, "--resume"]
    other = run_seqtrans(*more, "--subwords", subwords, "--cell", "gru")
    assert other.returncode == 2
    assert "model.cell was 'lstm' and is 'gru'" in one_line(other.stderr)
    for force in ([], ["--force"]):  # subwords of the same number, but not the same
        wrong = run_seqtrans(*more, "--subwords", others, *force)
        assert wrong.returncode == 65
        assert "source subwords are not those" in one_line(wrong.stderr)
    lines = target.read_text("utf-8").splitlines()
    target.write_text("\n".join(lines[:100]) + "\n", "utf-8")
    source.write_text("\n".join(source.read_text("utf-8").splitlines()[:100]) + "\n", "utf-8")
    changed = run_seqtrans(*more, "--subwords", subwords)
    assert changed.returncode == 65
    assert "source of the development text is not what this training began with" in one_line(changed.stderr)
    assert run_seqtrans(*more, "--subwords", subwords, "--force").returncode == 0


def test_subwords_that_were_learned_from_the_text_are_kept_when_resuming(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    text = tuple(tmp_path / path.name for path in parallel_text)
    for old, new in zip(parallel_text, text, strict=True):
        new.write_bytes(old.read_bytes())
    base = arguments((text[0], text[1]), tiny_config, tmp_path / "m.safetensors")
    assert run_seqtrans(*base, "--max-steps", 5).returncode == 0
    for path in text:
        path.write_bytes(path.read_bytes() + b"another line\n")
    changed = run_seqtrans(*base, "--max-steps", 10, "--resume")
    assert changed.returncode == 65
    assert "source of the development text is not what this training began with" in one_line(changed.stderr)
    forced = run_seqtrans(*base, "--max-steps", 10, "--resume", "--force")
    assert forced.returncode == 0, forced.stderr.decode()


def test_an_output_that_is_read_too_is_refused(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    copy = tmp_path / "train.en"
    copy.write_bytes(parallel_text[0].read_bytes())
    run = run_seqtrans(*arguments((copy, parallel_text[1]), tiny_config, copy, "--max-steps", 5))
    assert run.returncode == 2
    assert "would be overwritten" in one_line(run.stderr)
    assert copy.read_bytes() == parallel_text[0].read_bytes()


def test_settings_and_cells_are_not_overwritten(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    own = tmp_path / "own.toml"
    own.write_bytes(tiny_config.read_bytes())
    run = run_seqtrans(*arguments(parallel_text, own, own, "--max-steps", 2))
    assert run.returncode == 2
    assert "would be overwritten" in one_line(run.stderr)
    assert own.read_bytes() == tiny_config.read_bytes()
    cell = tmp_path / "mine.py"
    code = "from seqtrans.recurrent.cells.rnn import RNN\n\nclass Mine(RNN):\n    pass\n"
    cell.write_text(code, "utf-8")
    run = run_seqtrans(*arguments(parallel_text, tiny_config, cell, "--cell", f"{cell}:Mine", "--max-steps", 2))
    assert run.returncode == 2
    assert "would be overwritten" in one_line(run.stderr)
    assert cell.read_text("utf-8") == code


def test_a_failed_start_keeps_the_training_before(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    model = tmp_path / "m.safetensors"
    assert run_seqtrans(*arguments(parallel_text, tiny_config, model, "--max-steps", 5)).returncode == 0
    state = model.with_suffix(".state") / "last.safetensors"
    before = sha256(state)
    missing = arguments((tmp_path / "none", parallel_text[1]), tiny_config, model, "--max-steps", 5)
    assert run_seqtrans(*missing, "--overwrite").returncode == 74
    assert sha256(state) == before


def test_a_failed_start_leaves_nothing(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    missing = arguments((tmp_path / "none", parallel_text[1]), tiny_config, tmp_path / "m.safetensors")
    assert run_seqtrans(*missing).returncode == 74
    assert list(tmp_path.iterdir()) == []


def test_a_finished_training_is_replaced_only_with_overwrite(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    model = tmp_path / "m.safetensors"
    flags = arguments(parallel_text, tiny_config, model, "--max-steps", 20, "--set", "validate_every=20")
    assert run_seqtrans(*flags).returncode == 0
    first = sha256(model)
    again = run_seqtrans(*flags)
    assert again.returncode == 2
    assert "holds a finished training; add --resume to continue it, or --overwrite" in one_line(again.stderr)
    other = [*flags, "--seed", 5]
    assert "training.seed was 1 and is 5" in one_line(run_seqtrans(*other, "--resume").stderr)
    assert sha256(model) == first
    assert run_seqtrans(*other, "--resume", "--overwrite").returncode == 0  # it cannot be resumed
    second = sha256(model)
    assert second != first
    assert run_seqtrans(*other, "--resume", "--overwrite").returncode == 0  # it can, and is at its end
    assert sha256(model) == second
    assert run_seqtrans(*flags, "--overwrite").returncode == 0
    assert sha256(model) == first


@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_a_model_without_checkpoints_is_replaced_only_with_overwrite(
    resume: tuple[str, ...], tmp_path: Path, parallel_text: Text, tiny_config: Path, tiny_model: Path,
    run_seqtrans: RunSeqtrans,
) -> None:  # fmt: skip
    model = tmp_path / "m.safetensors"
    model.write_bytes(tiny_model.read_bytes())
    flags = arguments(parallel_text, tiny_config, model, "--max-steps", 2, *resume)
    run = run_seqtrans(*flags)
    assert run.returncode == 2
    assert f"{model}: exists, without checkpoints beside it; add --overwrite" in one_line(run.stderr)
    assert sha256(model) == sha256(tiny_model)
    assert run_seqtrans(*flags, "--overwrite").returncode == 0
    assert sha256(model) != sha256(tiny_model)


def test_the_same_text_under_another_name_is_the_same_text(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    model = tmp_path / "m.safetensors"
    assert run_seqtrans(*arguments(parallel_text, tiny_config, model, "--max-steps", 5)).returncode == 0
    copies = (tmp_path / "x.en", tmp_path / "y.de")
    for old, new in zip(parallel_text, copies, strict=True):
        new.write_bytes(old.read_bytes())
        new.with_stem("dev").write_bytes(old.with_stem("dev").read_bytes())
    flags = arguments(copies, tiny_config, model, "--max-steps", 8, "--resume")
    run = run_seqtrans(*flags)
    assert run.returncode == 0, run.stderr.decode()
    swapped = run_seqtrans(*arguments((copies[1], copies[0]), tiny_config, model, "--max-steps", 9, "--resume"))
    assert "source of the development text is not what" in one_line(swapped.stderr)


def test_what_a_training_lacks_is_told_at_once(run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("train")
    assert run.returncode == 2
    assert one_line(run.stderr) == "seqtrans: missing: --train FILE..., --dev FILE... (or --dev-size N), -o MODEL"
    assert "missing: -o MODEL" in one_line(run_seqtrans("train", "--train", "a", "--dev-size", 5).stderr)


@pytest.mark.parametrize(("size", "count"), [("20", 20), ("15%", 30)])
def test_a_development_text_is_split_off(
    size: str, count: int, tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    flags = [
        "train", "--train", *parallel_text, "--dev-size", size, "-o", tmp_path / "m.safetensors",
        "--config", tiny_config, "--max-steps", 2,
    ]  # fmt: skip
    run = run_seqtrans(*flags)
    assert run.returncode == 0, run.stderr.decode()
    source, target = parallel_text
    assert f"{source} {target}, development part: {count} pairs, {count} kept" in run.stderr.decode()
    assert f"{source} {target}: {200 - count} pairs, {200 - count} kept" in run.stderr.decode()


def test_settings_on_the_command_line(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    model = tmp_path / "m.safetensors"
    more = ["--set", "batch_size=50", "model.dropout=0.25", "metric=chrf", "--max-steps", 2]
    assert run_seqtrans(*arguments(parallel_text, tiny_config, model, *more)).returncode == 0
    facts = json.loads(run_seqtrans("inspect", model, "--json").stdout)
    assert facts["config"]["training"]["batch_size"] == 50
    assert facts["config"]["training"]["metric"] == "chrf"
    assert facts["architecture"]["dropout"] == 0.25


def test_references_that_bleu_cannot_tell_apart_are_told_of_and_the_loss_decides(
    tmp_path: Path, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    """With one word on each line, BLEU is 0 at every validation."""
    names = tmp_path / "names.tsv"
    names.write_text(
        "".join(f"{'abcd'[i % 4]}{'efg'[i % 3]}\t{'ABCD'[i % 4]}{'EFG'[i % 3]}\n" for i in range(40)), "utf-8"
    )
    model = tmp_path / "m.safetensors"
    run = run_seqtrans(
        "train", "--train", names, "--dev", names, "-o", model, "--config", tiny_config, "--max-steps", 60,
        "--set", "type=char", "validate_every=10", "patience=2",
    )  # fmt: skip
    said = run.stderr.decode()
    assert run.returncode == 0, said
    assert "100% of the references have fewer than 4 words" in said
    records = [json.loads(line) for line in model.with_suffix(".log.jsonl").read_text("utf-8").splitlines()]
    validations = [record for record in records if record["event"] == "validation"]
    assert {record["score"] for record in validations} == {0.0}
    assert said.count("(best so far, kept)") == 1
    assert said.count("(no better score, but a lower loss, kept)") == sum(v["kept"] for v in validations) - 1 > 0
    best = min(validations, key=lambda record: record["loss"])
    assert best["step"] > 10
    assert json.loads(run_seqtrans("inspect", model, "--json").stdout)["history"]["steps"] == best["step"]


def test_a_score_that_depends_on_spaces_no_subword_writes_compares_as_the_subwords_write(
    tmp_path: Path, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    text = tmp_path / "spaces.tsv"
    text.write_text("".join(f"{'abcd'[i % 4]}\t{'ABCD'[i % 4]}  X \n" for i in range(80)), "utf-8")
    run = run_seqtrans(
        "train", "--train", text, "--dev", text, "-o", tmp_path / "m.safetensors", "--config", tiny_config,
        "--max-steps", 100, "--set", "type=char", "metric=exact", "learning_rate=0.02",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    assert "exact 100.00" in run.stderr.decode()


def test_the_terminal_may_go(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans, warm_process: WarmProcess
) -> None:
    """SIGHUP is a stop as SIGTERM is, and nobody who reads the messages is needed for it."""
    model = tmp_path / "m.safetensors"
    flags = arguments(parallel_text, tiny_config, model, "--max-steps", 70)
    with begin(warm_process.words(*flags), model) as process:
        assert process.stderr is not None
        process.stderr.close()
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 129
    run = run_seqtrans(*flags, "--resume")
    assert run.returncode == 0, run.stderr.decode()
    assert "resuming from step" in run.stderr.decode()


def test_a_tsv_corpus_and_given_subwords(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    sides = [path.read_text("utf-8").splitlines() for path in parallel_text]
    tsv = tmp_path / "names.tsv"
    tsv.write_text("".join(f"{s}\t{t}\n" for s, t in zip(*sides, strict=True)), "utf-8")
    subwords = tmp_path / "joint.model"
    learned = run_seqtrans("tokenize", "learn", "--type", "char", "--vocab-size", 60, "-o", subwords, *parallel_text)
    assert learned.returncode == 0, learned.stderr.decode()
    model = tmp_path / "m.safetensors"
    run = run_seqtrans(
        "train", "--train", tsv, "--dev", tsv, "-o", model, "--subwords", subwords, "--config", tiny_config,
        "--max-steps", 20, "--quiet",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    said = run.stderr.decode().splitlines()
    assert said
    assert all(line.startswith("warning: ") for line in said)
    facts = json.loads(run_seqtrans("inspect", model, "--json").stdout)
    assert facts["vocabulary"]["source"]["sha256"] == sha256(subwords)
    assert facts["vocabulary"]["source"]["type"] == "char"
    assert facts["joint_vocabulary"] is True
    assert facts["history"]["data"]["training text"] == sha256(tsv)


def test_unequal_corpora_are_refused_with_both_counts(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    short = tmp_path / "short.de"
    short.write_text("eins\nzwei\n", "utf-8")
    run = run_seqtrans(*arguments((parallel_text[0], short), tiny_config, tmp_path / "m", "--max-steps", 5))
    assert run.returncode == 65
    assert "200 lines" in one_line(run.stderr)
    assert "has 2" in one_line(run.stderr)


def test_text_that_is_not_utf8_is_refused_with_its_place(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    bad = tmp_path / "bad.en"
    bad.write_bytes(b"one two\nthree \xff four\n")
    run = run_seqtrans(*arguments((bad, parallel_text[1]), tiny_config, tmp_path / "m", "--max-steps", 5))
    assert run.returncode == 65
    assert f"{bad}:2: byte 0xff at offset 14" in one_line(run.stderr)


@pytest.mark.parametrize(
    ("longest", "code", "words"),
    [
        ("4", 0, "of the pairs were dropped"),
        ("1", 65, "no sentence pair is usable (200 source longer than 1 subwords)"),
    ],
)
def test_a_length_limit_that_drops_much_is_told(
    longest: str, code: int, words: str, tmp_path: Path, parallel_text: Text, tiny_config: Path,
    run_seqtrans: RunSeqtrans,
) -> None:  # fmt: skip
    long = tmp_path / "long.en"
    long.write_text("".join(f"one two {line}\n" for line in parallel_text[0].read_text("utf-8").splitlines()), "utf-8")
    run = run_seqtrans(
        *arguments((long, parallel_text[1]), tiny_config, tmp_path / "m", "--max-steps", 2),
        env={"SEQTRANS_TEXT_MAX_LENGTH": longest},
    )
    assert run.returncode == code
    assert words in run.stderr.decode()


def test_dropped_pairs_are_counted_and_too_many_are_warned_of(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    source, target = tmp_path / "s", tmp_path / "t"
    source.write_text("one two\n\none\nthree\n" * 8, "utf-8")
    target.write_text("zwei eins\neins\n\ndrei\n" * 8, "utf-8")
    run = run_seqtrans(*arguments((source, target), tiny_config, tmp_path / "m", "--max-steps", 5))
    said = run.stderr.decode()
    assert "32 pairs, 16 kept, 8 dropped: empty source (lines 2, 6, 10, ...), 8 dropped: empty target (lines 3," in said
    assert "warning:" in said
    assert said.count("5 steps are planned, all within the 20 steps of warm-up") == said.count("warm-up") == 1
    run = run_seqtrans(
        *arguments((source, target), tiny_config, tmp_path / "m1", "--max-steps", 10**6, "--max-time", "1s"),
        "--set",
        "warmup_steps=1000000",
    )
    assert "training ended within the 1,000,000 steps of warm-up" in run.stderr.decode()
    source.write_text("\n" * 32, "utf-8")
    run = run_seqtrans(*arguments((source, target), tiny_config, tmp_path / "m2", "--max-steps", 5))
    assert run.returncode == 65


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--cell", "lstn"], "did you mean 'lstm'?"),
        (["--attention", "bahdanau"], "known: additive"),
        (["--preset", "bas"], "did you mean 'base'?"),
        (["--max-time", "soon"], "90s, 45m, 2h or 1h30m"),
        (["--max-time", "20"], "90s, 45m, 2h or 1h30m"),
        (["--max-time", "0s"], "90s, 45m, 2h or 1h30m"),
        (["--max-time", ""], "90s, 45m, 2h or 1h30m"),
        (["--max-steps", "-1"], "--max-steps"),
        (["--max-steps", "0"], "--max-steps"),
        (["--dev-size", "5"], "exclude each other"),
        (["--set", "batch_size"], "KEY=VALUE"),
        (["--set", "batch_sise=3"], "did you mean 'batch_size'?"),
        (["--set", "training.hidden=3"], "unknown key"),
        (["--set", "batch_size=0"], "batch_size must be at least 1"),
        (["--precision", "fp8"], "auto, fp32 or bf16"),
        (["--device", "tpu"], "auto, cpu or cuda"),
        (["--threads", "-2"], "--threads"),
        (["--source-subwords", "x"], "go together"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans, flags: list[str], words: str
) -> None:
    run = run_seqtrans(*arguments(parallel_text, tiny_config, tmp_path / "m", *flags))
    assert run.returncode == 2
    assert words in one_line(run.stderr)


@pytest.mark.parametrize(
    "toml",
    [
        "[model]\nencoder_layers = 0\n", "[model]\ndropout = 1.5\n", "[training]\nlearning_rate = nan\n",
        "[model]\nhiden = 3\n", "[modle]\n", "[model]\nhidden = 33\n", "[model]\nhidden = '3'\n", "not toml",
        "[training]\nmetric = 'blue'\n",
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_work_is_refused_in_one_line(
    tmp_path: Path, parallel_text: Text, run_seqtrans: RunSeqtrans, toml: str
) -> None:
    config = tmp_path / "c.toml"
    config.write_text(toml, "utf-8")
    run = run_seqtrans(*arguments(parallel_text, config, tmp_path / "m"))
    assert run.returncode == 2
    one_line(run.stderr)


def test_an_output_that_cannot_be_written_fails_before_training(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    run = run_seqtrans(*arguments(parallel_text, tiny_config, tmp_path / "no" / "folder" / "m", "--max-steps", 5))
    assert run.returncode == 74
    assert "step" not in run.stderr.decode()
    assert not list(tmp_path.iterdir())


def test_a_loss_that_is_no_number_stops_training_and_names_the_lines(
    tmp_path: Path, parallel_text: Text, run_seqtrans: RunSeqtrans
) -> None:
    """Each update takes ten times a weight from it: after some forty, no weight is a number."""
    config = tmp_path / "c.toml"
    config.write_text(
        "[model]\nembedding = 8\nhidden = 8\n[training]\nlearning_rate = 10\nwarmup_steps = 0\nclip_norm = 0\n"
        "weight_decay = 1.0\nvalidate_every = 100000\n",
        "utf-8",
    )
    run = run_seqtrans(*arguments(parallel_text, config, tmp_path / "m", "--max-steps", 200))
    assert run.returncode == 1
    assert "not a number" in one_line(run.stderr)
    assert "training lines" in one_line(run.stderr)


INTERRUPTS = """
import os, pathlib, signal
from seqtrans.scoring.metrics.exact import Exact


class Interrupts(Exact):
    "Gives a signal to the training that asks for the score, if there is a file to say so."
    name = "interrupts"

    def score(self, sums):
        if pathlib.Path(os.environ["SIGNAL"]).exists():
            os.kill(os.getpid(), signal.SIGINT)
        return super().score(sums)
"""


@pytest.mark.parametrize("is_last", [False, True])
def test_no_model_appears_after_a_signal_and_what_goes_on_writes_it(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans, is_last: bool
) -> None:
    """Make deletes its target when the signal comes, and would take what is written after that for finished."""
    site = packages.install(tmp_path, INTERRUPTS, "[seqtrans.metrics]\ninterrupts = their_package:Interrupts\n")
    signal_file = tmp_path / "signal"
    environment = {"PYTHONPATH": f"{ROOT}:{site}", "SIGNAL": str(signal_file)}

    def training(name: str, steps: int, *flags: object) -> tuple[int, str]:
        run = run_seqtrans(
            "train", "--train", *parallel_text, "--dev", *dev_of(parallel_text), "-o", tmp_path / name, "--config",
            tiny_config, "--threads", 1, "--max-steps", steps, "--set", "validate_every=10", "metric=interrupts",
            "decay=constant", *flags, env=environment,
        )  # fmt: skip
        return run.returncode, run.stderr.decode()

    model = tmp_path / "stopped.safetensors"
    assert training("whole.safetensors", 30)[0] == 0
    assert training("stopped.safetensors", 10)[0] == 0
    earlier = model.read_bytes()
    signal_file.touch()
    code, told = training("stopped.safetensors", 20 if is_last else 30, "--resume")
    assert code == 130, told
    assert model.read_bytes() == earlier
    model.unlink()
    signal_file.unlink()
    if is_last:  # nothing is left to do but that
        assert training("stopped.safetensors", 20, "--resume")[0] == 0
        assert trained_steps(model) == 20
        model.unlink()
    code, told = training("stopped.safetensors", 30, "--resume")
    assert code == 0, told
    assert "written again, the best model so far (step 20)" in told
    assert model.read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


def test_an_earlier_model_at_the_output_gives_way_to_the_best_when_the_training_goes_on(
    tmp_path: Path, parallel_text: Text, tiny_config: Path, run_seqtrans: RunSeqtrans
) -> None:
    """An interruption may have come before the best one was copied there."""
    model, dev = tmp_path / "m.safetensors", dev_of(parallel_text)
    command = ["train", "--train", *parallel_text, "--dev", *dev, "-o", model, "--config", tiny_config, "--threads", 1]
    assert run_seqtrans(*command, "--max-steps", 10).returncode == 0
    earlier = model.read_bytes()
    assert run_seqtrans(*command, "--max-steps", 40, "--resume").returncode == 0
    model.write_bytes(earlier)
    run = run_seqtrans(*command, "--max-steps", 41, "--resume")
    assert run.returncode == 0, run.stderr.decode()
    assert f"{model}: written again, the best model so far (step 40)" in run.stderr.decode()
    assert model.read_bytes() != earlier
