"""How probable a language model finds a text.

Shapes: T steps, B rows, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from seqtrans.device import Compute
from seqtrans.model.file import TrainedModel
from seqtrans.model.language_model import LanguageState
from seqtrans.text.subwords import EOS_ID, UNK_ID

STEPS = 512
"""Subwords that are read at once."""


@dataclass(frozen=True)
class Reading:
    """A text, or a line of one, as a model reads it; line ends count as subwords and characters."""

    nats: float
    """Minus the log-probability."""
    subwords: int
    characters: int
    unknown: int = 0
    """Subwords that the model has no number for; their letters are not told apart."""

    @property
    def perplexity(self) -> float:
        """Of a subword; infinite where no number of the machine is as large."""
        mean = self.nats / self.subwords if self.subwords else 0.0
        return math.exp(mean) if mean < 700 else math.inf

    @property
    def nats_per_character(self) -> float:
        """Comparable between models with different subwords."""
        return self.nats / self.characters if self.characters else 0.0

    @property
    def bits_per_character(self) -> float:
        """The same in bits."""
        return self.nats_per_character / math.log(2)

    def __add__(self, other: Reading) -> Reading:
        return Reading(
            self.nats + other.nats,
            self.subwords + other.subwords,
            self.characters + other.characters,
            self.unknown + other.unknown,
        )


class Reader:
    """Reads lines with a language model, each in the light of all before it, or `alone`."""

    def __init__(self, model: TrainedModel, compute: Compute, alone: bool = False) -> None:
        self.network = model.language_model.eval().to(compute.device)
        self.subwords, self.compute, self.alone = model.target_subwords, compute, alone
        self._state: LanguageState | None = None

    def read(self, lines: Sequence[str]) -> Iterator[Reading]:
        """Each line, with its end; what was read before, also by earlier calls, is remembered."""
        encoded = self.subwords.encode_batch(list(lines))
        ends, ids = [], [EOS_ID]  # before a text stands the end of another
        for line in encoded:
            ids += [*line, EOS_ID]
            ends.append(len(ids) - 1)
        if self.alone:
            pieces = zip([0, *ends[:-1]], ends, strict=True)
            nats = [value for start, end in pieces for value in self._fresh(ids[start : end + 1])]
        else:
            nats = self._nats(ids)
        start = 0
        for line, end in zip(encoded, ends, strict=True):
            characters = len(self.subwords.decode(line)) + 1
            yield Reading(math.fsum(nats[start:end]), end - start, characters, line.count(UNK_ID))
            start = end

    def _fresh(self, ids: list[int]) -> list[float]:
        self._state = None
        return self._nats(ids)

    def _nats(self, ids: list[int]) -> list[float]:
        """Minus the log-probability of each subword but the first, given all before it."""
        found: list[float] = []
        row = torch.tensor(ids, device=self.compute.device).unsqueeze(1)
        with torch.no_grad(), self.compute.arithmetic():
            state = self._state or self.network.start(1)
            for start in range(0, len(ids) - 1, STEPS):
                end = min(start + STEPS, len(ids) - 1)
                logs, state = self.network.predict(row[start:end], state)
                found += (-logs.gather(2, row[start + 1 : end + 1].unsqueeze(2))).flatten().tolist()
        self._state = state
        return found
