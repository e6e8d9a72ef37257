"""Texts where each source token has one target token: characters or words, known to the vocabulary or not."""

from __future__ import annotations

from collections.abc import Sequence

from seqtrans.errors import UsageError
from seqtrans.text.subwords import SPACE, SubwordModel

TOKEN_TYPES = ("char", "word")
"""The types of subword models whose subwords are whole characters or words."""

_LIGATURE = "\ufb01"
"""A character that NFKC normalisation replaces by two."""


class TokenVocabulary:
    """The tokens of one side: splits lines into tokens, each with one id; none is merged, added or lost."""

    def __init__(self, subwords: SubwordModel) -> None:
        """Use the vocabulary of a side.

        Raises:
            UsageError: its subwords are neither characters nor words, or it normalises characters.
        """
        if subwords.type not in TOKEN_TYPES:
            raise UsageError(f"a tagger needs subwords of type {' or '.join(TOKEN_TYPES)}, not {subwords.type}")
        if subwords.type == "char" and subwords.normalize(_LIGATURE) != _LIGATURE:
            raise UsageError("a tagger needs unnormalised characters: learn the subwords without --normalization")
        self.subwords = subwords
        self.of_words = subwords.type == "word"

    def split(self, line: str) -> list[str]:
        """The words of the normalised line, or all characters of the line, spaces too."""
        return [w.removeprefix(SPACE) for w in self.subwords.encode_pieces(line)] if self.of_words else list(line)

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """An id for each token."""
        if self.of_words:
            return [self.subwords.id_of(SPACE + token) for token in tokens]
        return [self.subwords.id_of(SPACE if token == " " else token) for token in tokens]

    def texts(self, ids: Sequence[int]) -> list[str]:
        """The token of each id, as text."""
        pieces = self.subwords.pieces(ids)
        return (
            [piece.removeprefix(SPACE) for piece in pieces]
            if self.of_words
            else [piece.replace(SPACE, " ") for piece in pieces]
        )

    def join(self, tokens: Sequence[str]) -> str:
        """The tokens as one line."""
        return (" " if self.of_words else "").join(tokens)

    def encode_batch(self, lines: Sequence[str]) -> list[list[int]]:
        """The ids of each line."""
        return [self.ids(self.split(line)) for line in lines]
