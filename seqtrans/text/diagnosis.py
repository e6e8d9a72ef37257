"""Signs that a parallel text is not what its user thinks: told before training, with counts.

Nothing here is an error, since each can be meant: a text normaliser copies most lines, names may repeat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from seqtrans.text.corpus import ParallelText

MANY = 0.5
"""The share of lines from which something is taken as a property of the text."""
FEW = 0.05
"""The share of the development pairs that may stand in the training text without a warning."""
CLEAR = 0.2
"""How much more of the development text must be known from the other side for the sides to count as swapped."""
SAMPLE = 20_000
"""Lines of each text from which its character sequences are taken."""

_SUBWORDS = re.compile(r"\u2581|@@(?: |$)|(?:^| )##\w")
"""Marks of SentencePiece, of subword-nmt and of WordPiece."""


def diagnose(train: ParallelText, dev: ParallelText) -> Iterator[str]:
    """One sentence for each thing that looks wrong."""
    for text in (train, dev):
        yield from _subwords(text)
    for text in (train, dev) if dev.digests != train.digests or not dev.digests else (train,):
        yield from _columns(text)
    same = sum(source == target for source, target in zip(train.source, train.target, strict=True))
    if same > MANY * len(train):
        yield f"{train.name}: in {same:,} of {len(train):,} pairs, source and target are the same"
    pairs = set(zip(train.source, train.target, strict=True))
    known = sum(pair in pairs for pair in zip(dev.source, dev.target, strict=True))
    if known > FEW * len(dev):
        yield (
            f"{dev.name}: {known:,} of {len(dev):,} pairs are in the training text too, "
            "so scores on it say little about new text"
        )
    if _are_swapped(train, dev):
        yield f"{dev.name}: source and target seem to be swapped, compared with {train.name}; give them in one order"


def _subwords(text: ParallelText) -> Iterator[str]:
    for side, lines in (("source", text.source), ("target", text.target)):
        marked = _count(lines, lambda line: _SUBWORDS.search(line) is not None)
        if marked > MANY * len(lines):
            yield (
                f"{text.name}: the {side} seems to be in subwords already ({marked:,} of {len(lines):,} lines have "
                "their marks); give plain text, for training learns subwords itself"
            )


def _columns(text: ParallelText) -> Iterator[str]:
    counts = [_count(lines, lambda line: line.count("\t") == 1) for lines in (text.source, text.target)]
    if min(counts) > MANY * len(text):
        yield (
            f"{text.name}: both files look like SOURCE TAB TARGET ({counts[0]:,} and {counts[1]:,} of {len(text):,} "
            "lines have one TAB); several such files are joined with `cat` into one --train file"
        )
    elif max(counts) > MANY * len(text):
        side = "source" if counts[0] > counts[1] else "target"
        yield (
            f"{text.name}: the {side} looks like SOURCE TAB TARGET ({max(counts):,} of {len(text):,} lines have one "
            "TAB); if it is, give that file alone, without the other side"
        )


def _count(lines: Sequence[str], condition: Callable[[str], bool]) -> int:
    return sum(map(condition, lines))


def _are_swapped(train: ParallelText, dev: ParallelText) -> bool:
    """Whether each side of `dev` looks like the other side of `train`, by their sequences of three characters."""
    source, target = _trigrams(train.source), _trigrams(train.target)
    sides = ((_trigrams(dev.source), source, target), (_trigrams(dev.target), target, source))
    return all(
        bool(found) and len(found & other) - len(found & own) > CLEAR * len(found) for found, own, other in sides
    )


def _trigrams(lines: Sequence[str]) -> set[str]:
    step = max(1, len(lines) // SAMPLE)
    return {line[i : i + 3] for line in lines[::step] for i in range(len(line) - 2)}
