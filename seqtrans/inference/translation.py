"""The translations of a line: the result of the Python interface and the input of the output formats.

Shapes: T target subwords, S source positions with EOS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from seqtrans.io.line_report import UnknownText
from seqtrans.search.record import SearchStep

SCORE_DECIMALS = 3
"""Decimals of log-probabilities and scores in output: in 32 bits the next digit depends on what else is in a batch."""


def rounded(number: float) -> float:
    """A log-probability or a score as it is written in JSON."""
    return round(number, SCORE_DECIMALS)


Links = list[tuple[int, int]]
"""Pairs of a source and a target position, from 0."""


@dataclass(frozen=True)
class ScoredText:
    """One translation of a line."""

    text: str
    score: float
    """Translations are ranked by it: see `Ranking`; with `mbr` it is the expected utility. -inf if no translation is
    possible."""
    log_prob: float
    """Sum of the natural log-probabilities of all subwords and EOS."""
    subwords: list[str]
    """The T subwords, EOS left out."""
    subword_log_probs: list[float]
    """The natural log-probability of each subword, then that of EOS."""
    attention: Tensor | None = field(default=None, repr=False)
    """Attention weights [T, S]; None if neither an alignment nor copies were requested."""
    alignment: Links | None = None
    """Links between subwords or words, as `SearchOptions.alignment` says; None if it is "none"."""


@dataclass(frozen=True)
class Translation:
    """The translations of one line, best first; a blank line has one blank translation."""

    source: str
    source_subwords: list[str]
    """The subwords of the source, EOS left out."""
    n_best: list[ScoredText]
    truncated: bool = False
    """Whether the source or a prefix of known subwords was cut, because it is longer than 500 subwords."""
    incomplete: bool = False
    """Whether the prefix or required phrases were ignored, in part or in full: they have unknown subwords, the phrases
    have more than 500 subwords, or the source is blank. A prefix that is only too long is `truncated` instead."""
    proven: bool | None = None
    """Whether exact search has proven that no translation has a higher score; None without exact search."""
    steps: Sequence[SearchStep] = ()
    """The steps of the search, if `SearchOptions.record` is set."""
    unknown: UnknownText | None = None
    """What in the source is unknown to the model; None if nothing is."""

    @property
    def text(self) -> str:
        """The best translation."""
        return self.n_best[0].text

    @property
    def score(self) -> float:
        """The score of the best translation."""
        return self.n_best[0].score

    @property
    def log_prob(self) -> float:
        """The natural log-probability of the best translation."""
        return self.n_best[0].log_prob

    @property
    def alignment(self) -> Links | None:
        """The alignment of the best translation; None if none was requested."""
        return self.n_best[0].alignment

    @property
    def failed(self) -> bool:
        """Whether there is no translation, because no hypothesis could end."""
        return self.score == -math.inf
