"""Texts where each token has one of the other side: tokens are characters or words, whatever a vocabulary knows."""

from __future__ import annotations

from collections.abc import Sequence

from seqtrans.errors import UsageError
from seqtrans.text.subwords import SPACE, SubwordModel

TOKEN_TYPES = ("char", "word")
"""The types of subword models whose subwords can be told one by one."""

_LIGATURE = "\ufb01"
"""A letter that compatibility normalisation makes two of."""


class Tokens:
    """The tokens of one side: one id each, none merged, none added, none lost."""

    def __init__(self, subwords: SubwordModel) -> None:
        """Take the vocabulary of a side.

        Raises:
            UsageError: its subwords are neither characters nor words, or it changes characters.
        """
        if subwords.type not in TOKEN_TYPES:
            raise UsageError(f"tokens are of type {' or '.join(TOKEN_TYPES)}, not {subwords.type}")
        if subwords.type == "char" and subwords.normalize(_LIGATURE) != _LIGATURE:
            raise UsageError("tokens are taken as they stand: learn the subwords without --normalization")
        self.subwords = subwords
        self.words = subwords.type == "word"

    def split(self, line: str) -> list[str]:
        """The words of a line, as its vocabulary sees them, or its characters, spaces too."""
        return [w.removeprefix(SPACE) for w in self.subwords.encode_pieces(line)] if self.words else list(line)

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """An id for each token."""
        if self.words:
            return [self.subwords.id_of(SPACE + token) for token in tokens]
        return [self.subwords.id_of(SPACE if token == " " else token) for token in tokens]

    def texts(self, ids: Sequence[int]) -> list[str]:
        """A token for each id, as it stands in a text."""
        pieces = self.subwords.pieces(ids)
        return (
            [piece.removeprefix(SPACE) for piece in pieces]
            if self.words
            else [piece.replace(SPACE, " ") for piece in pieces]
        )

    def join(self, tokens: Sequence[str]) -> str:
        """A line of tokens."""
        return (" " if self.words else "").join(tokens)

    def encode_batch(self, lines: Sequence[str]) -> list[list[int]]:
        """The ids of each line."""
        return [self.ids(self.split(line)) for line in lines]
