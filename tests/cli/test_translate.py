"""`seqtrans translate` as a user calls it: a filter that never loses a line."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from seqtrans.config.schema import Config, ModelConfig
from seqtrans.model.file import save_model
from seqtrans.model.trained import TrainedModel, build_network
from seqtrans.model.weights import weights_of
from seqtrans.text.subword_training import learn_subwords
from tests.conftest import RunSeqtrans, seqtrans_command, seqtrans_environment
from tests.warm import WarmProcess

Text = tuple[Path, Path]


def test_a_trained_model_translates(tiny_model: Path, parallel_text: Text, run_seqtrans: RunSeqtrans) -> None:
    source, target = (path.read_bytes() for path in parallel_text)
    run = run_seqtrans("translate", "-m", tiny_model, input=source)
    assert run.returncode == 0
    assert run.stderr == b""
    found, wanted = run.stdout.splitlines(), target.splitlines()
    assert len(found) == len(wanted)
    right = sum(a == b for a, b in zip(found, wanted, strict=True))
    assert right >= 0.9 * len(wanted)


HOSTILE = (
    b"\xef\xbb\xbfone two\r\n"  # a byte order mark and CRLF
    b"\n"
    b"   \t \n"
    b"\xff\xfe bad\n"
    b"three\0four\n"
    b"one\xe2\x80\xa8two\x0bthree\x0cfour\x1cfive\xc2\x85six\n"  # U+2028, VT, FF, FS, NEL
    b"a\rb\n"
    b"tab\there\n"
    b"last"  # no final newline
)


def test_hostile_lines_come_out_one_for_one(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("translate", "-m", tiny_model, input=HOSTILE)
    assert run.returncode == 0
    lines = run.stdout.split(b"\n")
    assert len(lines) == 10
    assert lines[9] == b""
    assert lines[1] == lines[2] == b""  # blank in, blank out
    assert lines[0] == b"zwei eins"
    said = run.stderr.decode().splitlines()
    assert any("<stdin>:4: " in line and "UTF-8" in line for line in said)
    assert any("<stdin>:5: " in line and "NUL" in line for line in said)


def test_the_issue_line_gives_four_lines(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    text = b"A man.\n\n\xff\xfe bad\r\nlast"
    together = run_seqtrans("translate", "-m", tiny_model, "--precision", "fp32", "--batch-size", 64, input=text)
    alone = run_seqtrans("translate", "-m", tiny_model, "--precision", "fp32", "--batch-size", 1, input=text)
    assert together.stdout.count(b"\n") == 4
    assert together.stdout == alone.stdout


def test_nothing_in_nothing_out(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("translate", "-m", tiny_model)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


def test_a_line_of_ten_megabytes_is_cut_with_a_warning(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("translate", "-m", tiny_model, "--beam", 1, input=b"one " * 2_500_000 + b"\none two\n")
    assert run.returncode == 0
    assert run.stdout.count(b"\n") == 2
    assert run.stdout.split(b"\n")[1] == b"zwei eins"
    assert run.stderr == b"seqtrans: warning: <stdin>:1: 1 line(s) longer than 500 subwords, the rest left out\n"


def test_a_model_that_generates_line_ends_writes_one_line(tmp_path: Path, run_seqtrans: RunSeqtrans) -> None:
    subwords = learn_subwords(["one two three"], "bpe", 280, byte_fallback=True)
    (line_end,) = (i for i in range(subwords.size) if subwords.pieces([i]) == ["<0x0A>"])
    config = Config(model=ModelConfig(embedding=4, hidden=4))
    network = build_network(config, subwords, subwords)
    with torch.no_grad():
        network.output_bias[line_end] = 1000
    model = tmp_path / "m.safetensors"
    trained = TrainedModel(config, network, subwords, subwords, {})
    save_model(model, trained, weights_of(network))
    for output_format in ("text", "moses", "jsonl"):
        run = run_seqtrans("translate", "-m", model, "--format", output_format, input=b"one\ntwo\n")
        assert run.stdout.count(b"\n") == 2, output_format
        assert b"\\n" not in run.stdout


def test_lines_that_are_too_long_are_warned_of_once(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    text = b"one\n" + b"two " * 501 + b"\n" + b"six " * 502 + b"\n"
    run = run_seqtrans("translate", "-m", tiny_model, "--beam", 1, input=text)
    assert (
        run.stderr
        == b"seqtrans: warning: <stdin>:2: 2 line(s) longer than 500 subwords, the rest left out (lines 2, 3)\n"
    )


def test_output_does_not_depend_on_batches_or_order(
    tiny_model: Path, parallel_text: Text, run_seqtrans: RunSeqtrans
) -> None:
    lines = parallel_text[0].read_bytes().splitlines()[:50]
    command = ["translate", "-m", tiny_model, "--precision", "fp32"]
    outputs = [
        run_seqtrans(*command, "--batch-size", size, input=b"\n".join(lines) + b"\n").stdout.splitlines()
        for size in (1, 7, 64)
    ]
    assert outputs[0] == outputs[1] == outputs[2]
    backwards = run_seqtrans(*command, input=b"\n".join(lines[::-1]) + b"\n").stdout.splitlines()
    assert backwards[::-1] == outputs[0]


def test_an_answer_comes_before_the_next_line_is_sent(
    tiny_model: Path, tmp_path: Path, warm_process: WarmProcess
) -> None:
    command = [str(warm_process.install(tmp_path / "seqtrans")), "translate", "-m", str(tiny_model)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=seqtrans_environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for sent, wanted in ((b"one two\n", b"zwei eins\n"), (b"\n", b"\n"), (b"five six\n", b"sechs f\xc3\xbcnf\n")):
            process.stdin.write(sent)
            process.stdin.flush()
            assert process.stdout.readline() == wanted
        process.stdin.close()
        assert process.wait(30) == 0


def test_moses_n_best(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("translate", "-m", tiny_model, "--n-best", 3, "--format", "moses", input=b"one two\n\n")
    lines = [line.split(" ||| ") for line in run.stdout.decode().splitlines()]
    assert [line[0] for line in lines] == ["0", "0", "0", "1"]
    assert lines[0][1] == "zwei eins"
    scores = [float(line[3]) for line in lines[:3]]
    assert scores == sorted(scores, reverse=True)
    assert len({line[1] for line in lines[:3]}) == 3
    assert re.fullmatch(r"LogProb= -?\d+\.\d{3} Subwords= 2", lines[0][2])


def test_json_lines_hold_subwords_probabilities_and_alignments(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans(
        "translate", "-m", tiny_model, "--format", "jsonl", "--alignment", "words", "--n-best", 2, input=b"one two\n\n"
    )
    first, second = (json.loads(line) for line in run.stdout.splitlines())
    assert (first["line"], first["source"], first["source_subwords"]) == (0, "one two", ["▁one", "▁two"])
    best = first["hypotheses"][0]
    assert (best["text"], best["subwords"]) == ("zwei eins", ["▁zwei", "▁eins"])
    assert sum(best["subword_log_probs"]) == pytest.approx(best["log_prob"], abs=1e-3)
    assert best["score"] == pytest.approx(best["log_prob"] / 3, abs=1e-3)
    assert best["alignment"] == "0-1 1-0"  # the target is the source reversed
    assert second["hypotheses"] == [
        {"text": "", "score": 0.0, "log_prob": 0.0, "subwords": [], "subword_log_probs": [], "alignment": ""}
    ]


def test_text_with_alignment(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    run = run_seqtrans("translate", "-m", tiny_model, "--alignment", "subwords", input=b"one two\n")
    text, alignment = run.stdout.decode().rstrip("\n").split("\t")
    assert text == "zwei eins"
    assert alignment == "0-1 1-0"  # the target is the source reversed


def test_a_closed_pipe_ends_it_quietly(tiny_model: Path, tmp_path: Path, warm_process: WarmProcess) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"one two\n" * 20000)
    warm_process.install(tmp_path / "seqtrans")
    line = f"./seqtrans translate -m {shlex.quote(str(tiny_model))} --beam 1 < text | head -1; echo ${{PIPESTATUS[0]}}"
    run = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, env=seqtrans_environment(), check=True
    )
    assert run.stdout == b"zwei eins\n141\n"
    assert run.stderr == b""


def test_a_full_disk_is_an_error(tiny_model: Path, tmp_path: Path, warm_process: WarmProcess) -> None:
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run(
            [warm_process.install(tmp_path / "seqtrans"), "translate", "-m", tiny_model], input=b"one\n", stdout=full,
            stderr=subprocess.PIPE, env=seqtrans_environment(), check=False,
        )  # fmt: skip
    assert run.returncode == 74
    assert run.stderr.decode().count("\n") == 1


def test_an_interrupt_during_a_search_leaves_whole_lines(
    tiny_model: Path, tmp_path: Path, warm_process: WarmProcess
) -> None:
    text, output = tmp_path / "text", tmp_path / "output"
    text.write_bytes(b"one two three four five six\n" * 20_000)
    with (
        text.open("rb") as stdin,
        output.open("wb") as stdout,
        subprocess.Popen(
            warm_process.words("translate", "-m", tiny_model, "--batch-size", 4),
            stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=seqtrans_environment(),
        ) as process,
    ):  # fmt: skip
        while process.poll() is None and not output.stat().st_size:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    lines = output.read_text("utf-8").split("\n")
    assert lines.pop() == ""
    assert set(lines) == {"sechs fünf vier drei zwei eins"}


@pytest.mark.skipif(not torch.__file__.isascii(), reason="torch itself needs a locale to be in such a folder")
def test_an_interrupt_keeps_what_is_finished_whatever_the_locale(tiny_model: Path) -> None:
    with subprocess.Popen(
        seqtrans_command("translate", "-m", tiny_model),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=seqtrans_environment(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"),
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("five ü\n".encode())
        process.stdin.flush()
        first = os.read(process.stdout.fileno(), 100)
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        rest, stderr = process.communicate(timeout=30)
    assert (first + rest).count(b"\n") == 1
    assert "fünf" in (first + rest).decode()
    assert process.returncode == 130
    assert b"Traceback" not in stderr


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--beam", "0"], "at least 1"),
        (["--n-best", "9"], "--beam 9"),
        (["--format", "xml"], "known: jsonl, moses, text"),
        (["--alignment", "letters"], "'none', 'subwords', 'words'"),
        (["--length-penalty", "nan"], "--length-penalty"),
        (["--precision", "fp8"], "fp32"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    tiny_model: Path, run_seqtrans: RunSeqtrans, flags: list[str], words: str
) -> None:
    run = run_seqtrans("translate", "-m", tiny_model, *flags, input=b"one\n")
    assert run.returncode == 2
    assert run.stdout == b""
    assert run.stderr.startswith(b"seqtrans: ")
    assert run.stderr.count(b"\n") == 1
    assert words in run.stderr.decode()


def test_files_that_are_no_model_are_refused_in_one_line(
    tiny_model: Path, tmp_path: Path, run_seqtrans: RunSeqtrans
) -> None:
    data = tiny_model.read_bytes()
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    damaged = {
        "cut": data[:-100],
        "zero": bytes(len(data)),
        "empty": b"",
        "flipped": bytes(flipped),
        "text": b"hello\n",
    }
    for name, content in damaged.items():
        path = tmp_path / name
        path.write_bytes(content)
        run = run_seqtrans("translate", "-m", path, input=b"one\n")
        assert (run.returncode, run.stdout) == (65, b""), name
        assert run.stderr.decode().startswith(f"seqtrans: {path}: ")
        assert run.stderr.count(b"\n") == 1
    assert run_seqtrans("translate", "-m", tmp_path, input=b"one\n").returncode == 65
    assert run_seqtrans("translate", "-m", tmp_path / "none", input=b"one\n").returncode == 74
    checkpoint = tiny_model.with_suffix(".state") / "last.safetensors"
    run = run_seqtrans("translate", "-m", checkpoint, input=b"one\n")
    assert run.returncode == 65
    assert "is a seqtrans checkpoint" in run.stderr.decode()


def test_inspect_tells_what_is_in_a_model(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    facts = json.loads(run_seqtrans("inspect", tiny_model, "--json").stdout)
    assert facts["architecture"]["cell"] == "lstm"
    assert facts["parameters"] == sum(facts["parameters_by_part"].values())
    assert facts["history"]["dev"]["bleu"] > 50
    assert set(facts["history"]["data"]) == {
        *(f"{side} of the {text} text" for side in ("source", "target") for text in ("training", "development")),
        "source subwords",
        "target subwords",
    }
    page = run_seqtrans("inspect", tiny_model).stdout.decode()
    for word in ("lstm", "general", "training_pairs", "torch", facts["vocabulary"]["source"]["sha256"]):
        assert word in page
