"""What a search finds, and how it is told to search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from seqtrans.search.ranking import Ranking
from seqtrans.search.sampling import SamplingOptions
from seqtrans.settings import bounded, no_setting, one_of


@dataclass(frozen=True)
class Hypothesis:
    """One translation as subword ids, without BOS and EOS."""

    tokens: list[int]
    score: float
    """What hypotheses are ranked by; see `Ranking`."""
    log_prob: float
    """Sum of the natural log-probabilities, EOS included."""
    token_log_probs: list[float]
    """One for each token, and one for EOS."""
    alignment: Tensor | None
    """Attention weights [T, S] over the source subwords and its EOS, where they were asked for; zeros where
    the model has no attention."""


def nothing(positions: int | None) -> Hypothesis:
    """What is found where nothing can end: all is forbidden, or a model's scores are not numbers.

    `positions` of the source, where an alignment is wanted.
    """
    return Hypothesis([], -math.inf, -math.inf, [], None if positions is None else torch.zeros(0, positions))


@dataclass(frozen=True)
class Request:
    """One sentence to translate, as subword ids without BOS and EOS."""

    source: Sequence[int]
    prefix: Sequence[int] = ()
    """What every hypothesis begins with."""
    required: Sequence[Sequence[int]] = ()
    """Phrases that every hypothesis holds, of at least one subword each."""
    sample: int = 0
    """Which of a sentence's samples is wanted, where hypotheses are drawn."""


@dataclass(frozen=True)
class SearchOptions:
    """How to search; lengths are in subwords."""

    beam: int = bounded(5, 1, 10_000)
    """Unfinished hypotheses kept at each step; 1 is greedy search."""
    n_best: int = bounded(1, 1, 10_000)
    ranking: Ranking = field(default_factory=Ranking)
    max_ratio: float = bounded(2.0, 0, 1000)
    max_extra: int = bounded(10, 0, 100_000)
    """A hypothesis has at most max_ratio * source length (EOS included) + max_extra subwords, beside a forced prefix
    and required phrases."""
    min_ratio: float = bounded(0.0, 0, 1000)
    min_extra: int = bounded(0, 0, 100_000)
    """It has at least min_ratio * source length (EOS included) + min_extra, as far as the limit above allows."""
    no_repeat: int = bounded(0, 0, 1000)
    """No so many subwords in a row stand twice in a hypothesis; 0: any may."""
    forbid: str = ""
    """Subwords that no hypothesis holds, as `seqtrans tokenize encode` prints them, with spaces between."""
    groups: int = bounded(1, 1, 10_000)
    """Parts of the beam, each of which keeps away from what those before it say (diverse beam search)."""
    diversity: float = bounded(0.5, 0, 100)
    """How far: what a subword loses each time that a group before has said it at the same step."""
    shortlist: bool = False
    """Whether hypotheses hold only subwords that the source's subwords let expect; see `Shortlist`."""
    copy_unknown: bool = False
    """Whether an unknown subword is written as the source's, or in a model of words the word, that it attends to
    most."""
    mbr: str = one_of("", "", "chrf", "bleu")
    """A sentence metric by which the list that was found, or drawn, is ranked: minimum Bayes risk; "": as found."""
    samples: int = no_setting(0)
    """So many hypotheses are drawn, in place of a search; 0: none."""
    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    max_expansions: int = bounded(10_000, 1, 10**9)
    """Hypotheses of which an exact search asks what follows, before it gives a sentence up."""
    exact: bool = no_setting(False)
    """Whether to go on until the best hypothesis is proven to be the best there is."""
    alignments: bool = no_setting(False)
    """Whether hypotheses keep their attention weights."""

    def max_length(self, request: Request) -> int:
        """The longest hypothesis."""
        given = len(request.prefix) + sum(map(len, request.required))
        return int(self.max_ratio * (len(request.source) + 1)) + self.max_extra + given

    def min_length(self, request: Request) -> int:
        """The shortest hypothesis."""
        least = int(self.min_ratio * (len(request.source) + 1)) + self.min_extra
        return min(least, self.max_length(request))
