"""Parallel text: refused when it is not parallel, and every pair accounted for."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqtrans.config.schema import Config
from seqtrans.errors import DataError, StreamError
from seqtrans.text.corpus import ParallelText, Ragged, encode_corpus, read_parallel
from seqtrans.text.subword_training import learn_subwords
from seqtrans.text.subwords import SubwordModel
from seqtrans.training.preparation import prepare

Write = Callable[[str, str], Path]


def test_two_files(write_lines: Write) -> None:
    paths = [write_lines("a.en", "one\n\ntwo\tx\n"), write_lines("a.de", "eins\nnull\nzwei")]
    text = read_parallel(paths)
    assert (text.source, text.target) == (["one", "", "two\tx"], ["eins", "null", "zwei"])
    assert len(text) == 3
    assert sorted(text.digests.values()) == sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in paths)


@pytest.mark.parametrize(("left", "right"), [(3, 2), (2, 3), (5, 0), (1, 100)])
def test_unequal_counts_are_refused_with_both(write_lines: Write, left: int, right: int) -> None:
    paths = [write_lines("a.en", "x\n" * left), write_lines("a.de", "y\n" * right)]
    with pytest.raises(DataError) as caught:
        read_parallel(paths)
    message = str(caught.value)
    assert f"{paths[0]} has {left} lines and {paths[1]} has {right}" in message
    assert "\n" not in message


def test_one_file_with_tabs(write_lines: Write) -> None:
    text = read_parallel([write_lines("a.tsv", "one\teins\n\tleer\n\nempty\t\n \n")])
    assert (text.source, text.target) == (["one", "", "", "empty", ""], ["eins", "leer", "", "", ""])
    assert list(text.digests) == [""]


@pytest.mark.parametrize(("line", "tabs"), [("no tab", 0), ("a\tb\tc", 2)])
def test_a_line_without_exactly_one_tab_is_refused_with_its_number(write_lines: Write, line: str, tabs: int) -> None:
    path = write_lines("a.tsv", f"fine\tgut\n{line}\nfine\tgut\n")
    with pytest.raises(DataError, match=f"a.tsv:2: has {tabs} TABs"):
        read_parallel([path])


def test_what_cannot_be_read_is_refused(write_lines: Write, tmp_path: Path) -> None:
    good, empty = write_lines("good", "x\n"), write_lines("empty", "")
    with pytest.raises(StreamError, match="missing: cannot be read"):
        read_parallel([good, tmp_path / "missing"])
    with pytest.raises(StreamError, match="cannot be read"):
        read_parallel([good, tmp_path])
    with pytest.raises(DataError, match="there are no lines"):
        read_parallel([empty, empty])
    with pytest.raises(DataError, match="two files, or one"):
        read_parallel([good, good, good])
    bad = tmp_path / "bad"
    bad.write_bytes(b"good\nb\xffd\n")
    with pytest.raises(DataError, match=r"bad:2: byte 0xff at offset 6 is not UTF-8"):
        read_parallel([good, bad])


def test_files_of_one_name_in_two_folders_are_told_apart(write_lines: Write) -> None:
    """Corpora come as en/train.txt and de/train.txt; a change in either must be seen when training goes on."""
    paths = [write_lines("en/train.txt", "one\n"), write_lines("de/train.txt", "eins\n")]
    digests = read_parallel(paths).digests
    assert set(digests.values()) == {hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.text("ab ", max_size=9), st.text("cd ", max_size=9)), min_size=1, max_size=12))
def test_kept_and_dropped_add_up(letters: SubwordModel, pairs: list[tuple[str, str]]) -> None:
    text = ParallelText("t", [s for s, _ in pairs], [t for _, t in pairs], {})
    sides = [(letters.encode(s), letters.encode(t)) for s, t in pairs]
    usable = [i for i, (s, t) in enumerate(sides, 1) if s and t and max(len(s), len(t)) <= 5]
    if not usable:
        with pytest.raises(DataError, match="t: no sentence pair is usable"):
            encode_corpus(text, letters, letters, 5)
        return
    corpus = encode_corpus(text, letters, letters, 5)
    assert corpus.kept.tolist() == usable
    dropped = [line for lines in corpus.dropped.values() for line in lines]
    assert sorted([*usable, *dropped]) == [*range(1, len(pairs) + 1)]
    assert corpus.dropped_share() == pytest.approx(1 - len(usable) / len(pairs))
    for number, line in enumerate(usable):
        assert (corpus.source[number].tolist(), corpus.target[number].tolist()) == sides[line - 1]


def test_every_reason_is_counted_and_told(letters: SubwordModel) -> None:
    source = ["ab", "", "ab", "abcdefab", "a", "", " ", ""]
    target = ["ab", "ab", "", "a", "abcdefab", "", "a", "a"]
    corpus = encode_corpus(ParallelText("t", source, target, {}), letters, letters, 5)
    assert corpus.dropped == {
        "empty source": [2, 6, 7, 8],
        "empty target": [3],
        "source longer than 5 subwords": [4],
        "target longer than 5 subwords": [5],
    }
    assert corpus.summary("dev") == (
        "dev: 8 pairs, 1 kept, 4 dropped: empty source (lines 2, 6, 7, ...), 1 dropped: empty target (line 3), "
        "1 dropped: source longer than 5 subwords (line 4), 1 dropped: target longer than 5 subwords (line 5)"
    )


def test_a_corpus_of_which_nothing_is_left_is_refused(letters: SubwordModel) -> None:
    with pytest.raises(DataError, match=r"t: no sentence pair is usable \(2 empty target, 1 source longer than 5"):
        encode_corpus(ParallelText("t", ["a", "b", "abcdefabc"], ["", " ", "a"], {}), letters, letters, 5)


@given(st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=6), max_size=8))
def test_ragged_sequences_come_back(sequences: list[list[int]]) -> None:
    ragged = Ragged.of(sequences)
    assert len(ragged) == len(sequences)
    assert [ragged[i].tolist() for i in range(len(ragged))] == sequences
    assert ragged.lengths.tolist() == [len(s) for s in sequences]


@pytest.mark.parametrize(("empty", "warned"), [(2, False), (3, True)])
def test_a_filter_that_drops_more_than_a_fifth_warns(
    write_lines: Write, caplog: pytest.LogCaptureFixture, empty: int, warned: bool
) -> None:
    lines = "ab\n" * (10 - empty) + "\n" * empty
    train = [write_lines("x", lines), write_lines("y", "c d d c\n" * 10)]
    dev = [write_lines("u", "ab\n"), write_lines("v", "d d d d\n")]
    model = learn_subwords(["abcd"], "char", 50)
    with caplog.at_level(logging.INFO, "seqtrans"):
        data = prepare(train, dev, Config(), (model, model))
    assert len(data.train) == 10 - empty
    assert any(f"{empty} dropped: empty source" in line for line in caplog.messages)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [warning for warning in warnings if "30% of the pairs were dropped" in warning] == warnings
    assert bool(warnings) is warned
