"""Alignments from attention weights: links between subwords or words, and copies of unknown words.

Shapes: T target subwords, S source positions.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from seqtrans.search.hypothesis import Hypothesis
from seqtrans.text.subwords import SPACE, UNK_ID, SubwordModel

Side = tuple[SubwordModel, Sequence[int]]
"""A subword model and the ids of a text."""


def alignment_links(hypothesis: Hypothesis, source: Side, target: Side, *, words: bool) -> list[tuple[int, int]]:
    """Links between the subwords, or with `words` the words, of a source and a hypothesis; empty without attention."""
    links = subword_alignment(hypothesis, len(source[1]))
    return word_alignment(links, source, target) if words else links


def text_with_copies(
    hypothesis: Hypothesis, text: str, ids: Sequence[int], source: SubwordModel, target: SubwordModel
) -> str:
    """A hypothesis as text, in which copies from the source `text` replace unknown subwords.

    If the target's subwords are whole words, the copies are whole words too. `ids` are the subwords of the source.

    Raises:
        ValueError: the hypothesis has no attention weights.
    """
    if hypothesis.attention is None:
        raise ValueError("copies need attention weights")
    pieces = source.encode_pieces(text)[: len(ids)]
    copies = copied_words(source, pieces, ids) if target.type == "word" else copied_subwords(pieces)
    return target.decode_pieces(with_copies(hypothesis.tokens, hypothesis.attention, copies, target))


def subword_alignment(hypothesis: Hypothesis, source_length: int) -> list[tuple[int, int]]:
    """(source, target) positions: each target subword with the source subword that it attends to most.

    The source's EOS also receives attention, but is not linked.
    """
    if hypothesis.attention is None or not source_length or not hypothesis.tokens:
        return []
    best = hypothesis.attention[:, :source_length].argmax(dim=1).tolist()
    return [(source, target) for target, source in enumerate(best)]


def word_alignment(links: list[tuple[int, int]], source: Side, target: Side) -> list[tuple[int, int]]:
    """Links between words: one for each pair of words with a link between any of their subwords."""
    source_words, target_words = word_numbers(*source), word_numbers(*target)
    return sorted({(source_words[s], target_words[t]) for s, t in links})


def word_numbers(subwords: SubwordModel, ids: Sequence[int]) -> list[int]:
    """For each subword the number, from 0, of its word."""
    numbers: list[int] = []
    for position, number in enumerate(ids):
        last = numbers[-1] if numbers else 0
        numbers.append(last + (1 if position and subwords.starts_word(number) else 0))
    return numbers


def with_copies(tokens: Sequence[int], attention_TS: Tensor, copies: Sequence[str], target: SubwordModel) -> list[str]:
    """The subwords of a hypothesis; an unknown one is replaced by the copy that it attends to most.

    `copies` has one text for each source position; an empty one is never used.
    """
    copy_positions = [position for position, copy in enumerate(copies) if copy]
    if not copy_positions:
        return target.pieces(tokens)
    best = attention_TS[:, copy_positions].argmax(dim=1).tolist()
    return [copies[copy_positions[n]] if i == UNK_ID else target.piece(i) for i, n in zip(tokens, best, strict=True)]


def copied_subwords(pieces: Sequence[str]) -> list[str]:
    """A copy for each source subword: the subword itself, without a space before it."""
    return [piece.removeprefix(SPACE) for piece in pieces]


def copied_words(source: SubwordModel, pieces: Sequence[str], ids: Sequence[int]) -> list[str]:
    """A copy for each source subword: the word that contains it."""
    words: dict[int, str] = {}
    numbers = word_numbers(source, ids)
    for number, piece in zip(numbers, pieces, strict=True):
        words[number] = words.get(number, "") + piece.removeprefix(SPACE)
    return [SPACE + words[number] if words[number] else "" for number in numbers]
