"""Development texts that are split off training texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqtrans.errors import DataError
from seqtrans.randomness import derived_seed
from seqtrans.text.corpus import ParallelText
from seqtrans.text.stream import PlainText


def split_off(text: ParallelText, size: float, seed: int) -> tuple[ParallelText, ParallelText]:
    """The training and the development part of a parallel text; the lines of each stay in order.

    `size` is a number of pairs or, below 1, a share of them. Sources are drawn at random with the seed, and all pairs
    of a source go with it, so that no source of the development part is left in the training part. Blank pairs are
    never drawn.

    Raises:
        DataError: the training part would be empty.
    """
    wanted = number_of_lines(size, len(text))
    pairs_of: dict[str, list[int]] = {}
    for number, (source, target) in enumerate(zip(text.source, text.target, strict=True)):
        if source.strip() and target.strip():
            pairs_of.setdefault(source, []).append(number)
    order = np.random.default_rng(derived_seed(seed, "development text")).permutation(len(pairs_of))
    groups = list(pairs_of.values())
    drawn: set[int] = set()
    for group in order:
        if len(drawn) >= wanted:
            break
        drawn.update(groups[group])
    if len(drawn) == sum(map(len, groups)):
        raise DataError(f"{text.name}: {len(drawn):,} usable pairs; dev_size {size:g} would leave none for training")
    rest = [number for number in range(len(text)) if number not in drawn]
    return _part(text, rest, ""), _part(text, sorted(drawn), ", development part")


def split_off_end(text: PlainText, size: float) -> tuple[PlainText, PlainText]:
    """The beginning of a text for training and its end, of `size` lines or that share, for development.

    A text is read as one stream, so that its lines are not drawn one by one.

    Raises:
        DataError: the training part would be empty.
    """
    count = number_of_lines(size, len(text.lines))
    if count >= len(text.lines):
        raise DataError(f"{text.name}: {len(text.lines):,} lines; dev_size {size:g} would leave none for training")
    return (
        PlainText(text.name, text.lines[:-count], text.digests),
        PlainText(f"{text.name}, development part", text.lines[-count:], text.digests),
    )


def number_of_lines(size: float, lines: int) -> int:
    """`size` as a number of lines, at least 1: a size below 1 is a share of the lines."""
    return max(1, round(size * lines if size < 1 else size))


def _part(text: ParallelText, rows: Sequence[int], description: str) -> ParallelText:
    return ParallelText(
        text.name + description,
        [text.source[row] for row in rows],
        [text.target[row] for row in rows],
        text.digests,
        [text.line_number(row) for row in rows],
    )
