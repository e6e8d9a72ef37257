"""A text as a stream: nothing lost, every subword after its predecessor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqtrans.errors import DataError
from seqtrans.text.stream import Segments, TextStream, read_text
from seqtrans.text.subword_training import learn_subwords
from seqtrans.text.subwords import EOS_ID, SubwordType


def numbers(count: int) -> TextStream:
    return TextStream(np.arange(count, dtype=np.int32), count)


def test_lines_become_subwords_and_line_ends() -> None:
    subwords = learn_subwords(["abc def", "fed cba"], "char", 100)
    lines = ["ab c", "", "fed"]
    stream = TextStream.of(lines, subwords)
    expected = [i for line in lines for i in (*subwords.encode(line), EOS_ID)]
    assert stream.ids.tolist() == expected
    assert stream.characters == len("ab c\n\nfed\n")


@pytest.mark.parametrize("subword_type", ["bpe", "unigram", "char", "word"])
def test_characters_are_those_of_the_text_also_where_the_subwords_do_not_know_them(subword_type: SubwordType) -> None:
    subwords = learn_subwords(["abc def", "fed cba"] * 5, subword_type, 12)
    assert TextStream.of(["абв где", "", "ab  гд"], subwords).characters == len("абв где\n\nab гд\n")


@pytest.mark.parametrize(("count", "streams", "steps"), [(100, 4, 7), (103, 4, 7), (24, 5, 5), (3, 64, 35), (1, 1, 1)])
@pytest.mark.parametrize("shift", [0, 1, 17])
def test_segments_hold_each_subword_once_after_its_predecessor(
    count: int, streams: int, steps: int, shift: int
) -> None:
    segments = Segments(numbers(count), streams, steps)
    parts = [segments.segment(number, shift) for number in range(len(segments))]
    assert [part.first for part in parts] == [True] + [False] * (len(parts) - 1)
    assert all(1 <= len(part.outputs_TB) <= steps for part in parts)
    outputs = np.concatenate([part.outputs_TB.numpy() for part in parts])
    inputs = np.concatenate([part.inputs_TB.numpy() for part in parts])
    assert ((outputs - inputs) % count == 1 % count).all()
    assert ((np.diff(outputs, axis=0) % count) == 1 % count).all()
    seen = outputs.T.flatten()
    assert len(set(seen.tolist())) == seen.size > count - segments.streams
    assert seen[0] == shift % count
    assert sum(part.target_tokens for part in parts) == seen.size


def test_epochs_begin_at_places_that_the_seed_decides() -> None:
    segments = Segments(numbers(1000), 4, 10)
    shifts = [segments.shift(1, epoch) for epoch in range(20)]
    assert shifts == [segments.shift(1, epoch) for epoch in range(20)]
    assert len(set(shifts)) > 15
    assert shifts != [segments.shift(2, epoch) for epoch in range(20)]


def test_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo", "utf-8")
    (tmp_path / "b.txt").write_text("three\n", "utf-8")
    text = read_text([tmp_path / "a.txt", tmp_path / "b.txt"])
    assert text.lines == ["one", "", "two", "three"]
    assert set(text.digests) == {"file 1", "file 2"}
    (tmp_path / "b.txt").write_bytes(b"fine\n\xff\n")
    with pytest.raises(DataError, match=r"b\.txt:2"):
        read_text([tmp_path / "b.txt"])
    (tmp_path / "b.txt").write_bytes(b"")
    with pytest.raises(DataError, match="no lines"):
        read_text([tmp_path / "b.txt"])
