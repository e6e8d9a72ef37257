"""The options of a search: one frozen object, checked when it is made and resolved once for the models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypedDict

from seqtrans.config.binding import SettingsConflict, bounded, one_of, validate
from seqtrans.errors import UsageError
from seqtrans.model.trained import TrainedModel
from seqtrans.search.hypothesis import Request
from seqtrans.search.ranking import Ranking
from seqtrans.search.sampling import Sampling

ALIGNMENTS = ("none", "subwords", "words")
DEFAULT_RATIO, DEFAULT_EXTRA = 2.0, 10
"""Defaults for the maximum length of a hypothesis: DEFAULT_RATIO * source length + DEFAULT_EXTRA subwords."""

NO_SHORTLIST = (
    "shortlist: no model has one. A model has none if it has fewer than 1,000 target subwords, was trained with "
    "text.shortlist = 0 or by an older version, or averages models with different shortlists. Leave out shortlist, or "
    "train again"
)


@dataclass(frozen=True)
class SearchOptions:
    """How to search, and what a translation reports. Lengths are in subwords.

    Raises:
        UsageError: a value is out of range, or two options exclude each other.
    """

    beam: int = bounded(5, 1, 10_000)
    """Number of unfinished hypotheses kept at each step; 1 is greedy search."""
    n_best: int = bounded(1, 1, 10_000)
    """Number of translations of each line, best first."""
    length_penalty: float = bounded(1.0, 0, 10)
    """alpha in score = log-probability / length^alpha; 0 ranks by log-probability, which favours short translations."""
    length_rule: str = one_of("power", "power", "gnmt")
    """Divisor of the log-probability: length^alpha, or for "gnmt" ((5 + length) / 6)^alpha (Wu et al. 2016, eq. 14)."""
    word_reward: float = bounded(0.0, -100, 100)
    """Added to the score for each subword (He et al. 2016, section 3.3)."""
    coverage_penalty: float = bounded(0.0, 0, 100)
    """beta of Wu et al. 2016, equation 14 (0.2 there): lowers the score of a hypothesis that leaves part of the source
    without attention."""
    max_ratio: float | None = bounded(None, 0, 1000)
    """A hypothesis has at most max_ratio * source length (EOS included) + max_extra subwords; a forced prefix and
    required phrases raise this limit by their length. If not set: the ratio learned in training, or min_ratio if that
    is larger."""
    max_extra: int | None = bounded(None, 0, 100_000)
    """See max_ratio. If not set: 10, or min_extra if that is larger."""
    min_ratio: float = bounded(0.0, 0, 1000)
    """A hypothesis has at least min_ratio * source length (EOS included) + min_extra subwords, but never more than the
    maximum length."""
    min_extra: int = bounded(0, 0, 100_000)
    """See min_ratio."""
    no_repeat: int = bounded(0, 0, 1000)
    """No sequence of this many subwords occurs twice in a hypothesis; 0: no restriction."""
    forbid: str = ""
    """Subwords that no hypothesis contains, as `seqtrans tokenize encode` prints them, separated by spaces."""
    groups: int = bounded(1, 1, 10_000)
    """Diverse beam search (Vijayakumar et al. 2016): the beam is divided into this many equal groups. At each step the
    groups choose one after the other, and each avoids the subwords that earlier groups chose."""
    diversity: float = bounded(0.5, 0, 100)
    """Subtracted from a subword's log-probability for each earlier group that chose it at the same step."""
    shortlist: bool = False
    """Choose only from the 100 most frequent target subwords and the likeliest translations of the line's subwords
    (IBM model 1, learned with the model). Large batches get faster; quality drops a little."""
    copy_unknown: bool = False
    """Replace each unknown subword by the source subword that it attends to most; in a model of words, by the source
    word."""
    mbr: str = one_of("", "", "chrf", "bleu")
    """Rank translations by minimum Bayes risk with this sentence metric as utility; "": rank by score."""
    sample: int = bounded(0, 0, 10_000)
    """Draw this many translations of each line at random instead of searching; 0: beam search."""
    temperature: float = bounded(1.0, 0, 100)
    """Sampling: scores are divided by it. Below 1 likely subwords become likelier; 0 takes the likeliest."""
    top_k: int = bounded(0, 0, 10**9)
    """Sampling: draw from this many likeliest subwords; 0: from all."""
    top_p: float = bounded(1.0, 1e-9, 1)
    """Sampling: draw from the likeliest subwords that together have this probability (Holtzman et al. 2020)."""
    seed: int = bounded(1, 0, 2**63 - 1)
    """Sampling: the same seed draws the same translations of a line, whatever the other lines are."""
    exact: bool = False
    """Continue after the beam search, depth first, until the translation is proven to have the highest score of all."""
    max_expansions: int = bounded(10_000, 1, 10**9)
    """Exact search: give up the proof for a line after expanding this many hypotheses."""
    ensemble: str = one_of("probabilities", "probabilities", "log-probabilities")
    """What an ensemble of several models averages at each step."""
    lm_weight: float = bounded(0.2, 0, 10)
    """Weight of the log-probability of a language model that is added to the translator's."""
    prefix: bool = False
    """Lines are SOURCE TAB PREFIX; translations begin with the prefix."""
    require: bool = False
    """Lines are SOURCE TAB PHRASE TAB PHRASE...; translations contain the phrases (after the PREFIX, if any)."""
    alignment: str = one_of("none", *ALIGNMENTS)
    """Units of the alignment that comes with a translation: subwords, words, or no alignment."""
    record: bool = False
    """Record which hypotheses the search kept, pruned and finished at each step."""

    def __post_init__(self) -> None:
        validate(self)
        if self.sample:
            self._check_samples()
        else:
            self._check_beam()
        if self.exact:
            self._check_exact()

    def _check_samples(self) -> None:
        search = [key for key in ("beam", "groups", "exact", "require", "record") if self._is_set(key)]
        if search:
            raise SettingsConflict(
                f"sample draws translations and does not search: leave out {_listed(search)}", "sample", *search
            )
        if self.n_best > 1 and not (self.mbr and self.n_best <= self.sample):
            raise SettingsConflict(
                "sample gives every translation that it draws: leave out n_best, or add mbr and draw at least n_best",
                "n_best",
                "sample",
                "mbr",
            )
        if self.mbr and self.sample == 1:
            raise SettingsConflict("mbr ranks several translations: draw more than one sample", "mbr", "sample")

    def _check_beam(self) -> None:
        if self.n_best > self.beam:
            raise SettingsConflict(
                f"n_best = {self.n_best} needs a beam as wide: add --beam {self.n_best}", "n_best", "beam"
            )
        if self.mbr and self.beam == 1:
            raise SettingsConflict("mbr ranks several translations: set beam or sample above 1", "mbr", "beam")
        if self.beam % self.groups:
            wider_beam = self.groups * -(-self.beam // self.groups)
            raise SettingsConflict(
                f"groups are equal parts of the beam: {self.beam} hypotheses cannot be divided into {self.groups}; "
                f"add --beam {wider_beam}",
                "groups",
                "beam",
            )
        if self.groups > 1 and (self.require or self.prefix):
            raise SettingsConflict(
                "groups do not work together with require or prefix: leave out groups", "groups", "require", "prefix"
            )

    def _check_exact(self) -> None:
        others = [key for key in ("n_best", "mbr", "shortlist", "record") if self._is_set(key)]
        if others:
            raise SettingsConflict(
                f"exact finds one translation, the best of all, and reports no search: leave out {_listed(others)}",
                "exact",
                *others,
            )

    def _is_set(self, key: str) -> bool:
        """Whether an option differs from its default."""
        return bool(getattr(self, key) != getattr(SearchOptions, key))

    @property
    def is_list(self) -> bool:
        """Whether a line may have several translations."""
        return (self.n_best if self.mbr or not self.sample else self.sample) > 1

    @property
    def width(self) -> int:
        """Number of unfinished hypotheses of a sentence: the beam, or 1 for a sample."""
        return 1 if self.sample else self.beam

    @property
    def n_finished(self) -> int:
        """Number of finished hypotheses of a sentence to keep: those to print or, with `mbr`, to rank."""
        return 1 if self.sample else self.beam if self.mbr else self.n_best

    def max_length(self, request: Request) -> int:
        """The maximum length of a hypothesis in subwords, EOS left out."""
        ratio = DEFAULT_RATIO if self.max_ratio is None else self.max_ratio
        extra = DEFAULT_EXTRA if self.max_extra is None else self.max_extra
        n_required = len(request.prefix) + sum(map(len, request.required))
        return int(ratio * (len(request.source) + 1)) + extra + n_required

    def min_length(self, request: Request) -> int:
        """The minimum length of a hypothesis in subwords, EOS left out."""
        minimum = int(self.min_ratio * (len(request.source) + 1)) + self.min_extra
        return min(minimum, self.max_length(request))

    @property
    def keeps_attention(self) -> bool:
        """Whether hypotheses keep their attention weights."""
        return self.alignment != "none" or self.copy_unknown

    @cached_property
    def ranking(self) -> Ranking:
        """How finished hypotheses are ranked."""
        return Ranking(self.length_penalty, self.length_rule, self.word_reward, self.coverage_penalty)

    @cached_property
    def sampling(self) -> Sampling:
        """How the next subword is drawn."""
        return Sampling(self.temperature, self.top_k, self.top_p, self.seed)

    def resolve(self, models: Sequence[TrainedModel]) -> SearchOptions:
        """A copy in which the length limits are set: options that are None get the values that these models learned.

        Raises:
            UsageError: an option needs something that the models do not have.
        """
        have_attention = [model.seq2seq.aligns for model in models]
        if self.keeps_attention and not any(have_attention):
            raise UsageError("no model has attention: leave out alignment and copy_unknown")
        if self.coverage_penalty and not all(have_attention):
            raise UsageError("coverage_penalty needs attention, which not every model has: leave it out")
        if self.shortlist and all(model.shortlist is None for model in models):
            raise UsageError(NO_SHORTLIST)
        ratio, extra = self.max_ratio, self.max_extra
        if ratio is None:
            ratio = max(self.min_ratio, *(model.length_ratio for model in models))
        if extra is None:
            extra = max(self.min_extra, DEFAULT_EXTRA)
        return replace(self, max_ratio=ratio, max_extra=extra)


def _listed(keys: Sequence[str]) -> str:
    """Options as a message names them: the flag that records is called --report."""
    return ", ".join("report" if key == "record" else key for key in keys)


class SearchSettings(TypedDict, total=False):
    """The fields of `SearchOptions` as keyword arguments."""

    beam: int
    n_best: int
    length_penalty: float
    length_rule: str
    word_reward: float
    coverage_penalty: float
    max_ratio: float | None
    max_extra: int | None
    min_ratio: float
    min_extra: int
    no_repeat: int
    forbid: str
    groups: int
    diversity: float
    shortlist: bool
    copy_unknown: bool
    mbr: str
    sample: int
    temperature: float
    top_k: int
    top_p: float
    seed: int
    exact: bool
    max_expansions: int
    ensemble: str
    lm_weight: float
    prefix: bool
    require: bool
    alignment: str
    record: bool
