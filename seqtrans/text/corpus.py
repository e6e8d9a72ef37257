"""Parallel text: read, checked and encoded; every pair is kept, or dropped with a reason."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqtrans.errors import DataError
from seqtrans.io.lines import read_whole
from seqtrans.text.subwords import SubwordModel
from seqtrans.text.tokens import TokenVocabulary

WARN_SHARE = 0.2
"""A larger share of dropped pairs gives a warning."""


@dataclass(frozen=True)
class ParallelText:
    """Sentence pairs, and the SHA-256 of each file that they came from."""

    name: str
    source: list[str]
    target: list[str]
    digests: dict[str, str]
    """By side, "source" and "target"; of one file for both sides, ""."""
    numbers: Sequence[int] = ()
    """The line number of each pair, from 1, in its file; empty if these are 1, 2, 3 and so on."""

    def __len__(self) -> int:
        return len(self.source)

    def line_number(self, row: int) -> int:
        """The line number, from 1, of a pair in its file."""
        return self.numbers[row] if self.numbers else row + 1

    def row_of(self, line_number: int) -> int:
        """The row, from 0, of the pair with this line number."""
        return bisect_left(self.numbers, line_number) if self.numbers else line_number - 1


def read_parallel(paths: Sequence[Path], *, refuse_long_lines: bool = False) -> ParallelText:
    """Read two files whose lines i belong together, or one file of `source TAB target` lines.

    Logs what had to be mended.

    Raises:
        DataError: not UTF-8 (with line and byte offset), unequal line counts, a line without exactly one TAB, no
            lines; with `refuse_long_lines`, also a line that is too long.
        StreamError: a file cannot be read.
    """
    name = " ".join(str(path) for path in paths)
    texts = [read_whole(path, refuse_long_lines=refuse_long_lines) for path in paths]
    digests = dict(zip(("source", "target") if len(paths) == 2 else ("",), (d for _, d in texts), strict=False))
    if len(paths) == 1:
        source, target = _columns(paths[0], texts[0][0])
    elif len(paths) == 2:
        source, target = texts[0][0], texts[1][0]
        if len(source) != len(target):
            raise DataError(
                f"{paths[0]} has {len(source)} lines and {paths[1]} has {len(target)}; "
                "line i of one must be the translation of line i of the other"
            )
    else:
        raise DataError(f"{name}: a parallel text is two files, or one with a TAB between the sides")
    if not source:
        raise DataError(f"{name}: there are no lines")
    return ParallelText(name, source, target, digests)


def split_pair(line: str, where: str) -> tuple[str, str]:
    """The two sides of a `source TAB target` line; `where` is its file and number.

    Raises:
        DataError: it does not have exactly one TAB.
    """
    left, tab, right = line.partition("\t")
    if not tab or "\t" in right:
        raise DataError(
            f"{where}: has {line.count(chr(9))} TABs; one between source and target is needed"
            + ("; `cut -f 1,2` leaves the first two columns" if tab else "")
        )
    return left, right


def _columns(path: Path, lines: list[str]) -> tuple[list[str], list[str]]:
    pairs = [split_pair(line, f"{path}:{number}") if line.strip() else ("", "") for number, line in enumerate(lines, 1)]
    return [source for source, _ in pairs], [target for _, target in pairs]


@dataclass(frozen=True)
class Ragged:
    """Sequences of ids of different lengths, one after the other in a flat array."""

    flat: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]]) -> Ragged:
        """Pack a list of sequences."""
        offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
        np.cumsum([len(s) for s in sequences], out=offsets[1:])
        flat = np.fromiter((i for s in sequences for i in s), dtype=np.int32, count=int(offsets[-1]))
        return cls(flat, offsets)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The length of each sequence."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, number: int) -> NDArray[np.int32]:
        return self.flat[self.offsets[number] : self.offsets[number + 1]]


_MIN_LENGTH_RATIO = 1.2


@dataclass(frozen=True)
class EncodedCorpus:
    """The kept pairs as subword ids, without begin and end of sentence."""

    source: Ragged
    target: Ragged
    kept: NDArray[np.int64]
    """Line numbers, from 1, of the kept pairs."""
    dropped: dict[str, list[int]]
    """Line numbers, from 1, of the dropped pairs, by reason."""

    def __len__(self) -> int:
        return len(self.source)

    def summary(self, name: str) -> str:
        """One line: how many pairs were kept, and how many were dropped for each reason."""
        reasons = "".join(f", {len(at)} dropped: {reason} ({_lines(at)})" for reason, at in self.dropped.items())
        return f"{name}: {len(self) + self._dropped_count()} pairs, {len(self)} kept{reasons}"

    def dropped_share(self) -> float:
        """The share of the pairs that was dropped, 0 to 1."""
        return self._dropped_count() / (len(self) + self._dropped_count())

    def length_ratio(self, extra: int) -> float:
        """The smallest r >= 1.2 such that 999 of 1,000 targets have at most r * source length + `extra` subwords.

        The source length includes EOS. The few longer targets are usually no translations.
        """
        ratios = (self.target.lengths - extra) / (self.source.lengths + 1)
        return max(_MIN_LENGTH_RATIO, float(np.quantile(ratios, 0.999, method="higher")))

    def _dropped_count(self) -> int:
        return sum(map(len, self.dropped.values()))


def _lines(numbers: Sequence[int]) -> str:
    """The first line numbers."""
    first = ", ".join(map(str, numbers[:3]))
    return f"line{'s' if len(numbers) > 1 else ''} {first}{', ...' if len(numbers) > 3 else ''}"


def encode_corpus(
    text: ParallelText,
    source_subwords: SubwordModel,
    target_subwords: SubwordModel,
    max_length: int,
    *,
    token_by_token: bool = False,
) -> EncodedCorpus:
    """Encode a parallel text, dropping pairs with an empty side or more than `max_length` subwords on one.

    With `token_by_token`, a `TokenVocabulary` splits each side, and token i of the source belongs to token i of the
    target; pairs with unequal numbers of tokens are dropped too.

    Raises:
        DataError: no pair is left.
    """
    if token_by_token:
        source = TokenVocabulary(source_subwords).encode_batch(text.source)
        target = TokenVocabulary(target_subwords).encode_batch(text.target)
    else:
        source, target = source_subwords.encode_batch(text.source), target_subwords.encode_batch(text.target)
    kept: list[int] = []
    dropped: dict[str, list[int]] = {}
    for row, (s, t) in enumerate(zip(source, target, strict=True)):
        reason = _reason_to_drop(len(s), len(t), max_length)
        if not reason and token_by_token and len(s) != len(t):
            reason = "unequal numbers of tokens"
        if reason:
            dropped.setdefault(reason, []).append(text.line_number(row))
        else:
            kept.append(row)
    if not kept:
        reasons = ", ".join(f"{len(at)} {reason}" for reason, at in dropped.items())
        raise DataError(f"{text.name}: no sentence pair is usable ({reasons})")
    kept_source, kept_target = (Ragged.of([side[i] for i in kept]) for side in (source, target))
    numbers = np.array([text.line_number(row) for row in kept], dtype=np.int64)
    return EncodedCorpus(kept_source, kept_target, numbers, dropped)


def _reason_to_drop(source: int, target: int, max_length: int) -> str:
    if not source or not target:
        return "empty source" if not source else "empty target"
    if max(source, target) > max_length:
        return f"{'source' if source > max_length else 'target'} longer than {max_length} subwords"
    return ""
