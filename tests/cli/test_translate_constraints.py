"""`seqtrans translate`: what translations must begin with, hold and be as long as, or must not hold."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import SOURCE, lines
from tests.conftest import RunSeqtrans, dev_of


def test_what_translations_begin_with(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    prefixed = "one two three\tvier\nfour five\n\tfünf\nsix\t\n".encode()
    found = lines(run_seqtrans("translate", "-m", tiny_model, "--prefix", input=prefixed))
    plain = lines(run_seqtrans("translate", "-m", tiny_model, input=SOURCE))
    assert found[0].startswith("vier")
    assert found[1:] == plain[1:]


def test_a_least_length_goes_before_the_learned_limit(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    for ratio, extra in ((20, 0), (0, 40), (20, 5)):
        lengths = f"min_ratio={ratio}", f"min_extra={extra}"
        run = run_seqtrans("translate", "-m", tiny_model, "--set", *lengths, input=b"one\n")
        assert len(run.stdout.split()) == ratio * 2 + extra


def test_translations_hold_what_is_required(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    text = b"one two\tneun\nfour five\n\nsix\tdrei vier\tacht\n"
    for flags in (
        [],
        ["--exact", "--set", "max_expansions=1000"],
        ["--beam", 1],
        ["--n-best", 1, "--set", "no_repeat=3"],
    ):
        found = lines(run_seqtrans("translate", "-m", tiny_model, "--require", *flags, input=text))
        assert "neun" in found[0].split()
        assert "drei vier" in found[3]
        assert "acht" in found[3].split()
        assert found[1] == lines(run_seqtrans("translate", "-m", tiny_model, *flags, input=text))[1]
    both = lines(
        run_seqtrans("translate", "-m", tiny_model, "--require", "--prefix", input=b"one\tzwei\tneun\nsix\n\none\n")
    )
    assert both[0].split()[0] == "zwei"
    assert "neun" in both[0].split()


def test_phrases_that_cannot_be_held_are_told_of(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    text = b"one two\tBerlin\tneun\nfour five\tneun\n\tneun\nsix\t\t \n"
    run = run_seqtrans("translate", "-m", tiny_model, "--require", input=text)
    assert run.returncode == 0
    found = run.stdout.decode().split("\n")
    assert len(found) == 5
    assert "neun" in found[0].split()
    assert "\u2047" not in found[0]
    assert found[2] == ""
    assert run.stderr.decode().splitlines() == [
        "seqtrans: warning: <stdin>:1: 2 line(s) whose prefix or phrases were ignored, in part or in full: they have "
        "characters or words that the model does not know, the phrases have more than 500 subwords, or the source is "
        "blank (lines 1, 3)"
    ]


def test_phrases_that_are_too_many_are_left_out(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    text = b"one two" + b"\tneun" * 1000 + b"\none two" + b"\tneun zwei vier" * 100 + b"\n"
    text += b"one two" + b"".join(b"\tneun" + b" vier" * n for n in range(40)) + b"\n"
    run = run_seqtrans("translate", "-m", tiny_model, "--require", "--beam", 2, input=text)
    found = run.stdout.decode().split("\n")
    assert "neun" in found[0].split()
    assert "neun zwei vier" in found[1]
    assert len(found[1].split()) < 20
    assert "neun" in found[2].split()
    assert "<stdin>:3: 1 line(s) whose prefix or phrases were ignored" in run.stderr.decode()


def test_lines_for_which_nothing_can_be_said_are_told_of(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    flags = ["translate", "-m", tiny_model, "--set", "no_repeat=1", "min_extra=30", "--prefix"]
    run = run_seqtrans(*flags, input=b"one two\tneun\n\nthree\n")
    assert run.returncode == 0
    assert run.stdout == b"\n\n\n"
    assert run.stderr.decode() == (
        "seqtrans: warning: <stdin>:1: 2 line(s) without a translation (no hypothesis could end); the output is blank "
        "(lines 1, 3)\n"
    )
    run = run_seqtrans("translate", "-m", tiny_model, "--set", "forbid=\u00a0", input=b"one\n")
    assert run.returncode == 2
    assert "is no subword of the model" in run.stderr.decode()


def test_prefixes_go_as_far_as_the_model_knows_their_words(tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    text = b"one two\tvier Berlin neun\nfour\tneun\n\tneun\none two\tvier\tneun\n"
    run = run_seqtrans("translate", "-m", tiny_model, "--prefix", input=text)
    found = run.stdout.decode().split("\n")
    assert found[0].startswith("vier ")
    assert found[1].startswith("neun")
    assert found[2] == ""
    assert found[3].startswith("vier neun")
    assert not {"\t", "\u2047"} & set(run.stdout.decode())
    assert "1: 2 line(s) whose prefix" in run.stderr.decode()
    assert run.stderr.endswith(b"(lines 1, 3)\n")


def test_a_phrase_of_a_script_without_spaces_gets_none(
    parallel_text: tuple[Path, Path], tiny_config: Path, run_seqtrans: RunSeqtrans, tmp_path: Path
) -> None:
    """One that begins a word would be a space and the phrase wherever it stands."""
    source, _ = dev_of(parallel_text)
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    digits = {word: digit for digit, word in zip("零一二三四五六七八九", words, strict=True)}
    target = tmp_path / "dev.zh"
    target.write_text(
        "".join("".join(map(digits.__getitem__, line.split())) + "\n" for line in source.read_text().splitlines()),
        "utf-8",
    )
    model = tmp_path / "m.safetensors"
    run = run_seqtrans(
        "train", "--train", source, target, "--dev", source, target, "-o", model, "--config", tiny_config,
        "--max-steps", 150, "--threads", 1, "--set", "type=char", "metric=loss",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    phrases = "one two three\t五六\none two three\t 五六\n".encode()
    found = run_seqtrans("translate", "-m", model, "--require", input=phrases).stdout.decode()
    assert found.count("五六") == 2
    assert " " not in found
