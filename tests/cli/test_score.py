"""`seqtrans score` as a user runs it: a process, files, pipes and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sacrebleu

from tests.conftest import RunSeqtrans, seqtrans_command, seqtrans_environment

Score = Callable[..., "subprocess.CompletedProcess[bytes]"]

REFERENCE = "Der Hund schläft im alten Garten.\nDie Katze sitzt auf der Mauer.\nEs regnet den ganzen Tag.\n"
SYSTEM = "Der Hund schläft im Garten.\nDie Katze sitzt auf der Mauer.\nEs regnet jeden Tag.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ref").write_text(REFERENCE, encoding="utf-8")
    (tmp_path / "hyp").write_text(SYSTEM, encoding="utf-8")
    (tmp_path / "short").write_text("ein\nzwei\n", encoding="utf-8")
    (tmp_path / "empty").write_bytes(b"")
    return tmp_path


@pytest.fixture
def score(folder: Path, run_seqtrans: RunSeqtrans) -> Score:
    """Run `seqtrans score` in the folder."""

    def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return run_seqtrans("score", *arguments, input=stdin, cwd=folder)

    return run


def printed(result: subprocess.CompletedProcess[bytes]) -> str:
    assert result.returncode == 0, result.stderr
    assert result.stderr == b""
    return result.stdout.decode("utf-8")


def refused(result: subprocess.CompletedProcess[bytes], code: int) -> str:
    """The one line on stderr of a run that must fail with this code and print nothing else."""
    assert result.returncode == code, result.stderr
    assert result.stdout == b""
    message = result.stderr.decode("utf-8")
    assert message.startswith("seqtrans: ")
    assert message.count("\n") == 1
    return message


def scores(result: subprocess.CompletedProcess[bytes]) -> dict[str, float]:
    (system,) = json.loads(printed(result))["systems"]
    return {each["name"]: each["score"] for each in system["metrics"]}


def test_default_is_bleu_and_chrf_with_signatures(score: Score) -> None:
    expected = sacrebleu.corpus_bleu(SYSTEM.splitlines(), [REFERENCE.splitlines()]).score
    bleu, chrf = printed(score("hyp", "-r", "ref")).splitlines()
    assert bleu.startswith(f"BLEU = {expected:.2f}  precisions = ")
    assert bleu.endswith(f"  nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{sacrebleu.__version__}")
    assert chrf.startswith("chrF2 = ")


@pytest.mark.parametrize("arguments", [["-r", "ref"], ["-", "-r", "ref"]])
def test_hypotheses_from_standard_input(arguments: list[str], score: Score) -> None:
    flags = ["--metric", "exact", "cer"]
    result = score(*arguments, *flags, stdin=SYSTEM.encode())
    assert printed(result) == printed(score("hyp", "-r", "ref", *flags))


def test_hypotheses_after_the_references_are_looked_for_in_vain(score: Score) -> None:
    assert "come before -r" in refused(score("-r", "ref", "hyp", stdin=b""), 2)


def test_every_metric_in_the_order_asked(score: Score) -> None:
    names = ["wer", "bleu01", "cer", "exact", "ter", "chrf", "bleu"]
    text = printed(score("hyp", "-r", "ref", "--metric", *names))
    labels = [line.split(" = ")[0] for line in text.splitlines()]
    assert labels == ["WER", "bleu01", "CER", "exact", "TER", "chrF2", "BLEU"]
    assert "exact = 33.33  matches = 1 lines = 3  nrefs:1|" in text
    repeated = score("hyp", "-r", "ref", "--metric", "wer", "--metric", "cer", "wer")
    assert len(printed(repeated).splitlines()) == 2


@pytest.mark.parametrize(
    "flags", [["-r", "ref", "hyp"], ["-r", "ref", "-r", "hyp"], ["--reference=ref", "hyp"], ["-rref", "hyp"]]
)
def test_several_references(flags: list[str], score: Score) -> None:
    result = printed(score("hyp", *flags, "--metric", "exact"))
    assert result.startswith("exact = 100.00  matches = 3 lines = 3  nrefs:2|")


def test_settings(score: Score) -> None:
    text = printed(score("hyp", "-r", "ref", "--tokenize", "none", "--lowercase"))
    assert "|case:lc|eff:no|tok:none|" in text


def test_json(score: Score) -> None:
    text = printed(score("hyp", "-r", "ref", "--metric", "bleu", "wer", "--json"))
    assert text.count("\n") == 1
    result = json.loads(text)
    assert list(result) == ["systems", "lines"]
    assert result["lines"] == 3
    (system,) = result["systems"]
    assert system["name"] == "hyp"
    keys = {"name", "score", "signature", "higher_is_better", "details"}
    assert all(set(each) == keys for each in system["metrics"])
    assert [each["name"] for each in system["metrics"]] == ["bleu", "wer"]
    assert system["metrics"][1]["score"] == pytest.approx(100 * 3 / 17)


def test_several_systems_are_compared(score: Score) -> None:
    arguments = ["hyp", "ref", "hyp", "-r", "ref", "--metric", "bleu", "wer"]
    text = printed(score(*arguments))
    assert text == printed(score(*arguments))
    assert "BLEU (higher is better)  nrefs:1|bs:1000|seed:12345|" in text
    assert "WER (lower is better)  nrefs:1|bs:1000|seed:12345|" in text
    result = json.loads(printed(score(*arguments, "--json")))
    assert [system["name"] for system in result["systems"]] == ["hyp", "ref", "hyp"]
    for first, _, copy in zip(*(system["metrics"] for system in result["systems"]), strict=True):
        assert first["bootstrap"]["p_value"] is None
        assert copy["bootstrap"]["p_value"] == 1
        low, high = copy["bootstrap"]["ci95"]
        assert low <= copy["bootstrap"]["mean"] <= high


def test_bom_crlf_and_a_missing_last_newline_do_not_count(score: Score, folder: Path) -> None:
    dressed = {
        "bom": b"\xef\xbb\xbf" + SYSTEM.encode(),
        "crlf": SYSTEM.replace("\n", "\r\n").encode(),
        "cut": SYSTEM.encode().removesuffix(b"\n"),
    }
    for name, text in dressed.items():
        (folder / name).write_bytes(text)
    arguments = [*dressed, "-r", "hyp", "--metric", "cer", "--json"]
    for system in json.loads(printed(score(*arguments)))["systems"]:
        assert system["metrics"][0]["details"]["edits"] == 0, system["name"]
    piped = score("-r", "bom", "--metric", "cer", "--json", stdin=dressed["crlf"])
    assert scores(piped) == {"cer": 0}


def test_only_line_feeds_end_lines(score: Score, folder: Path) -> None:
    separators = "\u2028\u2029\u0085\v\f\x1c\x1d\x1e\u00a0"
    (folder / "odd").write_text("".join(f"ein{each}Wort\n" for each in separators), encoding="utf-8")
    result = score("odd", "-r", "odd", "--metric", "exact", "wer", "--json")
    assert scores(result) == {"exact": 100, "wer": 0}
    assert json.loads(result.stdout)["lines"] == len(separators)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["hyp", "-r", "short"], ["hyp has 3 line", "short has 2"]),
        (["hyp", "short", "-r", "ref"], ["short has 2 line", "ref has 3"]),
        (["-r", "ref"], ["<stdin> has 0 line", "ref has 3"]),
        (["empty", "-r", "empty"], ["no lines"]),
        (["bad", "-r", "ref"], ["bad:2: byte 0xff at offset 10"]),
        (["hyp", "-r", "bad"], ["bad:2: byte 0xff at offset 10"]),
    ],
)
def test_bad_data_exits_65(arguments: list[str], parts: list[str], score: Score, folder: Path) -> None:
    (folder / "bad").write_bytes("\ufeffeins\nzu\xff".encode("utf-8")[:-2] + b"\xff\ndrei\n")
    message = refused(score(*arguments, "--metric", "wer"), 65)
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["hyp", "-r", "ref", "--metric", "blue"], "known: bleu, bleu01, cer, chrf, exact, ter, wer"),
        (["hyp", "-r", "ref", "--tokenize", "13b"], "known: 13a, none, intl, char, zh"),
        (["hyp", "-r", "ref", "--metric", "wer", "--tokenize", "13a"], "--tokenize only concerns bleu"),
        (["-", "-r", "-"], "only once"),
        (["-r", "-"], "only once"),
        (["hyp"], "--reference"),
        (["hyp", "-r", "ref", "--precision", "fp32"], "go with --model"),
        (["hyp", "-r", "ref", "--wrong"], "--wrong"),
    ],
)
def test_usage_errors_exit_2(arguments: list[str], part: str, score: Score) -> None:
    assert part in refused(score(*arguments), 2)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_forgotten_hypotheses_are_not_awaited_from_a_terminal(folder: Path) -> None:
    ours, theirs = os.openpty()
    command = seqtrans_command("score", "-r", "ref", "hyp")
    result = subprocess.run(
        command, cwd=folder, stdin=theirs, capture_output=True, timeout=60, env=seqtrans_environment(), check=False
    )
    os.close(ours)
    os.close(theirs)
    assert "no hypotheses: name files before -r" in refused(result, 2)


@pytest.mark.parametrize("path", ["absent", "."])
def test_unreadable_files_exit_74(path: str, score: Score) -> None:
    assert path in refused(score(path, "-r", "ref", "--metric", "wer"), 74)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_exits_74(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = seqtrans_command("score", "hyp", "-r", "ref", "--metric", "wer")
        result = subprocess.run(
            command, cwd=folder, stdout=full, stderr=subprocess.PIPE, env=seqtrans_environment(), check=False
        )
    assert result.returncode == 74


def test_tokenised_text_is_warned_of(score: Score, folder: Path) -> None:
    (folder / "tokenised").write_text("ein Satz .\n" * 100, encoding="utf-8")
    warned = score("tokenised", "-r", "tokenised")
    assert warned.returncode == 0
    assert warned.stderr.startswith(b"seqtrans: warning: tokenised: 100 lines end in ' .'")
    assert warned.stderr.count(b"\n") == 1
    printed(score("tokenised", "-r", "tokenised", "--tokenize", "none"))


def test_help_names_every_metric_on_lines_of_their_own(score: Score) -> None:
    text = printed(score("--help"))
    starts = {line.split()[0] for line in text.splitlines() if line.strip()}
    assert {"bleu,", "bleu01", "exact", "wer", "cer"} <= starts
    assert "\b" not in text


def test_references_without_spaces_are_warned_of_where_a_metric_counts_words(
    tmp_path: Path, run_seqtrans: RunSeqtrans
) -> None:
    for name in ("hyp", "ref"):
        (tmp_path / name).write_text("他 买 了 一 本 书\n这是一本红色的书\n".replace(" ", ""), "utf-8")
    command = ["score", "hyp", "-r", "ref"]
    for more, named in ((["--metric", "bleu", "wer"], "bleu and wer counts"), ([], "bleu counts")):
        said = run_seqtrans(*command, *more, cwd=tmp_path).stderr.decode()
        assert f"ref: written without spaces between words, which {named}" in said
        assert "--tokenize zh" in said
    for more in (["--tokenize", "zh"], ["--metric", "chrf", "cer"]):
        assert run_seqtrans(*command, *more, cwd=tmp_path).stderr == b""
