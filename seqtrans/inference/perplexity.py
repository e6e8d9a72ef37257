"""The likelihood of a text under a language model.

Shapes: T steps, B rows, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from seqtrans.device import Compute
from seqtrans.model.language_model import LanguageState
from seqtrans.model.trained import TrainedModel
from seqtrans.text.subwords import EOS_ID, UNK_ID

SUBWORDS_AT_ONCE = 512
"""Subwords of a text in one call of the network."""


@dataclass(frozen=True)
class Likelihood:
    """The likelihood of a text or a line under a model. A line end counts as a subword and as a character."""

    nats: float
    """Minus the natural log-probability."""
    subwords: int
    characters: int
    unknown: int = 0
    """Number of unknown subwords. Each has the probability of UNK."""

    @property
    def log_prob(self) -> float:
        """The natural log-probability."""
        return -self.nats

    @property
    def perplexity(self) -> float:
        """exp(nats / subwords); infinite if it exceeds the range of a float."""
        mean = self.nats / self.subwords if self.subwords else 0.0
        return math.exp(mean) if mean < 700 else math.inf

    @property
    def nats_per_character(self) -> float:
        """Minus the log-probability per character: comparable between models with different subwords."""
        return self.nats / self.characters if self.characters else 0.0

    @property
    def bits_per_character(self) -> float:
        """`nats_per_character` in bits."""
        return self.nats_per_character / math.log(2)

    def __add__(self, other: Likelihood) -> Likelihood:
        return Likelihood(
            self.nats + other.nats,
            self.subwords + other.subwords,
            self.characters + other.characters,
            self.unknown + other.unknown,
        )


class TextScorer:
    """Scores lines with a language model, each given all lines before it or, with `alone`, given no other line."""

    def __init__(self, model: TrainedModel, compute: Compute, alone: bool = False) -> None:
        self.network = model.language_model.eval().to(compute.device)
        self.subwords, self.compute, self.alone = model.target_subwords, compute, alone
        self._state: LanguageState | None = None

    def score(self, lines: Sequence[str]) -> Iterator[Likelihood]:
        """The likelihood of each line with its end. The lines of earlier calls are part of the text."""
        encoded = self.subwords.encode_batch(list(lines))
        ends, ids = [], [EOS_ID]  # a text starts with EOS
        for line in encoded:
            ids += [*line, EOS_ID]
            ends.append(len(ids) - 1)
        if self.alone:
            pieces = zip([0, *ends[:-1]], ends, strict=True)
            nats = [value for start, end in pieces for value in self._nats_alone(ids[start : end + 1])]
        else:
            nats = self._nats(ids)
        start = 0
        for text, line, end in zip(lines, encoded, ends, strict=True):
            # counted in the text, because one UNK may stand for several characters
            characters = len(self.subwords.normalize(text)) + 1
            yield Likelihood(math.fsum(nats[start:end]), end - start, characters, line.count(UNK_ID))
            start = end

    def _nats_alone(self, ids: list[int]) -> list[float]:
        """`_nats` of a text that begins here."""
        self._state = None
        return self._nats(ids)

    def _nats(self, ids: list[int]) -> list[float]:
        """Minus the log-probability of each subword but the first, given all subwords before it."""
        nats: list[float] = []
        ids_T1 = torch.tensor(ids, device=self.compute.device).unsqueeze(1)
        with torch.no_grad(), self.compute.arithmetic():
            state = self._state or self.network.start(1)
            for start in range(0, len(ids) - 1, SUBWORDS_AT_ONCE):
                end = min(start + SUBWORDS_AT_ONCE, len(ids) - 1)
                log_probs, state = self.network.predict(ids_T1[start:end], state)
                nats += (-log_probs.gather(2, ids_T1[start + 1 : end + 1].unsqueeze(2))).flatten().tolist()
        self._state = state
        return nats
