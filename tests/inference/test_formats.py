"""What holds for every output format, found by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqtrans import plugins
from seqtrans.inference.formats.moses import escaped, unescaped
from tests.conftest import RunSeqtrans

FORMATS = plugins.names("seqtrans.inference.formats")
LINES = ["one two", "", "three", "zwei ||| drei", "four\u2028five\x0bsix", "seven\u0085eight nine"]

formats = pytest.mark.parametrize("name", FORMATS)


def output(run_seqtrans: RunSeqtrans, model: Path, lines: list[str], *flags: object) -> bytes:
    text = "".join(f"{line}\n" for line in lines).encode()
    run = run_seqtrans("translate", "-m", model, "--precision", "fp32", "--threads", 1, *flags, input=text)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout


def test_there_are_formats() -> None:
    assert {"text", "moses", "jsonl"} <= set(FORMATS)


@formats
@pytest.mark.parametrize("alignment", ["none", "words"])
def test_a_translation_is_one_whole_line(
    name: str, alignment: str, tiny_model: Path, run_seqtrans: RunSeqtrans
) -> None:
    """Whatever the source: a line is ended by LF alone, and nothing else in it ends one."""
    written = output(run_seqtrans, tiny_model, LINES, "--format", name, "--alignment", alignment)
    assert written.endswith(b"\n")
    assert written.count(b"\n") == len(LINES)
    assert b"\r" not in written
    assert b"\0" not in written
    written.decode()  # UTF-8


@formats
def test_the_lines_of_a_text_are_written_one_by_one(name: str, tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    """Only a line's number may depend on the lines before it."""
    together = output(run_seqtrans, tiny_model, LINES[:3], "--format", name).split(b"\n")
    alone = output(run_seqtrans, tiny_model, LINES[:1], "--format", name).split(b"\n")
    assert together[0] == alone[0]


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "text"])
def test_a_list_holds_the_best_translation_first(name: str, tiny_model: Path, run_seqtrans: RunSeqtrans) -> None:
    best = output(run_seqtrans, tiny_model, LINES[:1], "--format", name)
    several = output(run_seqtrans, tiny_model, LINES[:1], "--format", name, "--n-best", 3)
    assert len(several) > len(best)
    (text,) = output(run_seqtrans, tiny_model, LINES[:1]).splitlines()
    position = several.find(text)
    assert 0 <= position < len(best)


@given(
    st.lists(st.sampled_from(["|", "||", "|||", "&", "amp;", "#124;", "&#124;", "&amp;#124;", " ", "a"])).map("".join)
)
@example("a ||| b")
@example("&#124;|||")
@example("||||| &#124;&#124;&#124;&#124; ||")
def test_bars_of_a_text_are_no_separators_of_moses_and_can_be_read_back(text: str) -> None:
    assert "|||" not in escaped(text)
    assert unescaped(escaped(text)) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a ||| b", "a &#124;&#124;&#124; b"),
        ("a | b || c", "a | b || c"),
        ("a &#124; b &amp; c", "a &#124; b &amp; c"),
        ("&#124;&#124;&#124;", "&amp;#124;&amp;#124;&amp;#124;"),
    ],
)
def test_only_three_bars_in_a_row_are_escaped_for_moses(text: str, written: str) -> None:
    assert escaped(text) == written
