"""A text as one stream of subwords, for models whose state is carried from line to line.

Shapes: T steps of a segment, B streams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqtrans.errors import DataError
from seqtrans.io.lines import read_whole
from seqtrans.randomness import derived_seed
from seqtrans.text.subwords import EOS_ID, SubwordModel


@dataclass(frozen=True)
class PlainText:
    """Lines of one language, and the SHA-256 of each file they came from."""

    name: str
    lines: list[str]
    digests: dict[str, str]


def read_text(paths: Sequence[Path]) -> PlainText:
    """Read files, one after the other; logs what had to be mended.

    Raises:
        DataError: not UTF-8 (with line and byte offset), a line of more than a MiB, or no lines.
        StreamError: a file cannot be read.
    """
    name = " ".join(map(str, paths))
    lines: list[str] = []
    digests: dict[str, str] = {}
    for path in paths:
        text, digest = read_whole(path, refuse_long_lines=True)
        lines += text
        digests["" if len(paths) == 1 else f"file {len(digests) + 1}"] = digest
    if not lines:
        raise DataError(f"{name}: there are no lines")
    return PlainText(name, lines, digests)


@dataclass(frozen=True)
class TextStream:
    """The subwords of a text, each line with EOS at its end."""

    ids: NDArray[np.int32]
    characters: int
    """The number of characters of the normalised text, unknown ones and line ends included."""

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, lines: Sequence[str], subwords: SubwordModel) -> TextStream:
        """Encode lines; a blank one is an EOS alone."""
        encoded = subwords.encode_batch(list(lines))
        ids = np.fromiter((i for line in encoded for i in (*line, EOS_ID)), dtype=np.int32)
        return cls(ids, sum(len(subwords.normalize(line)) + 1 for line in lines))


@dataclass(frozen=True)
class Segment:
    """Consecutive steps of several streams, side by side."""

    inputs_TB: Tensor
    """The subword before each of `outputs_TB`."""
    outputs_TB: Tensor
    first: bool
    """Whether the streams begin here."""
    target_tokens: int

    def to(self, device: torch.device) -> Segment:
        """The same on a device."""
        return Segment(self.inputs_TB.to(device), self.outputs_TB.to(device), self.first, self.target_tokens)


class Segments:
    """A text cut into streams that are read side by side, and the streams cut into segments.

    Each epoch starts at another place of the text, and from the text's end goes on at its beginning, so that streams
    and segments begin at other places each time. Up to B - 1 subwords before that place are left out of the epoch.
    """

    def __init__(self, text: TextStream, streams: int, steps: int) -> None:
        self.text, self.steps = text, steps
        self.streams = max(1, min(streams, len(text) // steps))
        self.length = len(text) // self.streams

    def __len__(self) -> int:
        return -(-self.length // self.steps)

    def segment(self, number: int, shift: int) -> Segment:
        """Segment `number` of the streams, where the first stream begins at subword `shift` of the text."""
        begin, end = number * self.steps, min((number + 1) * self.steps, self.length)
        places = shift + np.arange(self.streams) * self.length + np.arange(begin, end)[:, None]
        outputs, inputs = (self.text.ids[(places - back) % len(self.text)].astype(np.int64) for back in (0, 1))
        return Segment(torch.from_numpy(inputs), torch.from_numpy(outputs), number == 0, outputs.size)

    def shift(self, seed: int, epoch: int) -> int:
        """The place of the text at which an epoch begins; a function of the arguments alone."""
        return int(np.random.default_rng(derived_seed(seed, "data order", epoch)).integers(len(self.text)))
