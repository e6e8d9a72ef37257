"""What cannot go together in a search, or would do nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from seqtrans.cli.search_options import Resolved


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for beside settings."""

    models: int
    language: bool
    """Whether a language model has a say."""
    prefix: bool
    require: bool
    sample: int
    exact: bool
    report: bool
    output_format: str

    @property
    def is_plain(self) -> bool:
        """Whether it asks for nothing that only a search has."""
        return not (
            self.models > 1 or self.language or self.prefix or self.require or self.sample or self.exact or self.report
        )


def check(resolved: Resolved, wanted: Wanted) -> None:
    """Refuse what cannot be.

    Raises:
        UsageError: with what to leave out or to add.
    """
    _check_samples(resolved, wanted)
    _check_lists(resolved, wanted)
    _check_beam(resolved, wanted)
    _check_uses(resolved, wanted)


def _check_samples(resolved: Resolved, wanted: Wanted) -> None:
    options, sample = resolved.options, wanted.sample
    if sample and (wanted.exact or resolved.said & {"beam", "groups"}):
        raise UsageError("--sample draws and does not search: leave out --beam, groups and --exact")
    if sample and "n_best" in resolved.said and not (options.mbr and options.n_best <= sample):
        raise UsageError("--sample prints all that is drawn; --n-best of them only with --set mbr=chrf or mbr=bleu")
    if sample and (wanted.require or wanted.report):
        raise UsageError("--sample draws and does not search: leave out --require and --report")


def _check_lists(resolved: Resolved, wanted: Wanted) -> None:
    """Lists that nothing tells apart, and what is nothing that a list is ranked by."""
    options = resolved.options
    kept = options.n_best if options.mbr or not wanted.sample else wanted.sample
    if wanted.exact and (options.n_best > 1 or options.mbr):
        raise UsageError("--exact proves one translation to be the best: leave out --n-best and mbr")
    if options.mbr and (wanted.sample == 1 or (not wanted.sample and options.beam == 1)):
        raise UsageError("mbr chooses from a list: give it a --beam or a --sample above 1")
    if kept > 1 and wanted.output_format == "text":
        raise UsageError("lists need --format moses or jsonl: in plain text, nothing tells them apart")


def _check_beam(resolved: Resolved, wanted: Wanted) -> None:
    options = resolved.options
    if wanted.exact and options.shortlist:
        raise UsageError("--exact proves a translation to be the best of all: leave out shortlist")
    if wanted.exact and wanted.report:
        raise UsageError("--report tells of a search with a beam: leave out --exact")
    if options.beam % options.groups and not wanted.sample:
        wider = options.groups * -(-options.beam // options.groups)
        raise UsageError(
            f"groups are equal parts of the beam: {options.beam} hypotheses make no {options.groups}; "
            f"add --beam {wider}"
        )
    if options.groups > 1 and (wanted.require or wanted.prefix):
        raise UsageError("--require and --prefix leave groups nothing to choose apart: leave out groups")


_USES = {
    "--lm": ("lm_weight",),
    "several models": ("ensemble",),
    "--exact": ("max_expansions",),
    "--sample": ("temperature", "top_k", "top_p", "seed"),
    "groups": ("diversity",),
}
"""Settings that mean nothing without these."""


def _check_uses(resolved: Resolved, wanted: Wanted) -> None:
    """What was said and would do nothing; in a file, which serves many commands, it may stand."""
    there = {
        "--lm": wanted.language,
        "several models": wanted.models > 1,
        "--exact": wanted.exact,
        "--sample": wanted.sample > 0,
        "groups": resolved.options.groups > 1,
    }
    for use, keys in _USES.items():
        useless = sorted(resolved.said & set(keys))
        if useless and not there[use]:
            raise UsageError(f"{useless[0]} means nothing without {use}: add that, or leave it out")
