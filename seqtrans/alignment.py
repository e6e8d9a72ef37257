"""What follows from where a translation attended: links between words, and copies of what is unknown.

Shapes: T target subwords, S source positions.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from seqtrans.search.hypothesis import Hypothesis
from seqtrans.text.subwords import SPACE, UNK_ID, SubwordModel


def subword_alignment(hypothesis: Hypothesis, source_length: int) -> list[tuple[int, int]]:
    """(source, target) positions: each target subword with the source subword it attends to most.

    The source's EOS, which also receives weight, is left out.
    """
    if hypothesis.alignment is None or not source_length or not hypothesis.tokens:
        return []
    best = hypothesis.alignment[:, :source_length].argmax(dim=1).tolist()
    return [(source, target) for target, source in enumerate(best)]


def word_alignment(
    links: list[tuple[int, int]],
    source: tuple[SubwordModel, Sequence[int]],
    target: tuple[SubwordModel, Sequence[int]],
) -> list[tuple[int, int]]:
    """The same links between words: each pair of words that any of their subwords link, once."""
    source_words, target_words = word_numbers(*source), word_numbers(*target)
    return sorted({(source_words[s], target_words[t]) for s, t in links})


def word_numbers(subwords: SubwordModel, ids: Sequence[int]) -> list[int]:
    """For each subword the number of the word that it belongs to."""
    numbers: list[int] = []
    for position, number in enumerate(ids):
        last = numbers[-1] if numbers else 0
        numbers.append(last + (1 if position and subwords.starts_word(number) else 0))
    return numbers


def with_copies(tokens: Sequence[int], alignment_TS: Tensor, copies: Sequence[str], target: SubwordModel) -> list[str]:
    """The subwords of a hypothesis; unknown ones are the copy of the position that they attend to most of all that
    have one.
    """
    usable = [position for position, copy in enumerate(copies) if copy]
    if not usable:
        return target.pieces(tokens)
    attended = alignment_TS[:, usable].argmax(dim=1).tolist()
    return [copies[usable[at]] if i == UNK_ID else target.piece(i) for i, at in zip(tokens, attended, strict=True)]


def copied_subwords(pieces: Sequence[str]) -> list[str]:
    """What stands for an unknown subword: a subword of the source, without the space before it."""
    return [piece.removeprefix(SPACE) for piece in pieces]


def copied_words(source: SubwordModel, pieces: Sequence[str], ids: Sequence[int]) -> list[str]:
    """What stands for an unknown word: for each subword of the source the word that it is in."""
    words: dict[int, str] = {}
    numbers = word_numbers(source, ids)
    for number, piece in zip(numbers, pieces, strict=True):
        words[number] = words.get(number, "") + piece.removeprefix(SPACE)
    return [words[number] and SPACE + words[number] for number in numbers]
