"""What of a line a model can use, and what is said about the rest."""

from __future__ import annotations

import pytest

from seqtrans.inference.source_lines import MAX_SUBWORDS, encode_lines
from seqtrans.search.options import SearchOptions
from seqtrans.text.subword_training import learn_subwords

LONG = " ".join(["one"] * (MAX_SUBWORDS + 1))


@pytest.mark.parametrize(
    ("line", "truncated", "incomplete"),
    [
        ("one\tone\tone two", False, False),
        (f"{LONG}\tone", True, False),
        (f"one\t{LONG}", True, False),
        ("one\tone Berlin two", False, True),
        (f"one\tone Berlin {LONG}", False, True),
        ("one\t\tone Berlin", False, True),
        (f"one\t\t{LONG}", False, True),
        (" \tone", False, True),
        (f"{LONG}\tBerlin", True, True),
    ],
)
def test_too_long_and_unknown_are_told_apart(line: str, truncated: bool, incomplete: bool) -> None:
    subwords = learn_subwords(["one two", "two one"] * 5, "word", 12)
    (encoded,) = encode_lines([line], SearchOptions(prefix=True, require=True), subwords, subwords)
    assert encoded.truncated == truncated
    assert encoded.is_incomplete() == incomplete
