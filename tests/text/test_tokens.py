"""Tokens: as many ids as tokens, whatever the vocabulary knows."""

from __future__ import annotations

import pytest

from seqtrans.errors import UsageError
from seqtrans.text.subword_training import learn_subwords
from seqtrans.text.subwords import UNK_ID
from seqtrans.text.tokens import TokenVocabulary

LINES = ["ab ba", "abba a"]
ODD = ["ab xx ab", "xyzzy", "  a  b ", "", " ", "日本 語a", "\u2581a", "a\tb", "ab\u00a0ba ab", "a\u3000b"]


@pytest.mark.parametrize("line", LINES + ODD)
def test_characters_have_an_id_each(line: str) -> None:
    vocabulary = TokenVocabulary(learn_subwords(LINES, "char", 100))
    ids = vocabulary.ids(vocabulary.split(line))
    assert len(ids) == len(line)
    known = "".join(c if c in "ab " else "?" for c in line.replace("\u2581", " "))
    found = [text if i != UNK_ID else "?" for i, text in zip(ids, vocabulary.texts(ids), strict=True)]
    assert vocabulary.join(found) == known


@pytest.mark.parametrize("line", LINES + ODD)
def test_words_have_an_id_each(line: str) -> None:
    vocabulary = TokenVocabulary(learn_subwords(LINES, "word", 100))
    ids = vocabulary.ids(vocabulary.split(line))
    words = [word for word in line.replace("\u2581", " ").split(" ") if word]
    assert vocabulary.split(line) == words
    for word, i in zip(words, ids, strict=True):
        assert (i == UNK_ID) == (word not in ("ab", "ba", "abba", "a"))
    assert line not in LINES or vocabulary.join(vocabulary.texts(ids)) == line


def test_words_with_a_space_that_does_not_break_are_learned_and_found() -> None:
    vocabulary = TokenVocabulary(learn_subwords(["10\u00a0000 francs"], "word", 100))
    ids = vocabulary.ids(vocabulary.split("10\u00a0000 francs"))
    assert UNK_ID not in ids
    assert vocabulary.join(vocabulary.texts(ids)) == "10\u00a0000 francs"


def test_other_subwords_are_no_tokens() -> None:
    with pytest.raises(UsageError, match="of type char or word, not bpe"):
        TokenVocabulary(learn_subwords(LINES * 5, "bpe", 12))
    with pytest.raises(UsageError, match="without --normalization"):
        TokenVocabulary(learn_subwords(LINES, "char", 100, normalization="nfkc"))
