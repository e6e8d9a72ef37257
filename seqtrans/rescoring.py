"""n-best lists in the format of Moses, ranked anew by what a translator thinks of them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from seqtrans.errors import DataError
from seqtrans.forcing import Forced, Forcer

SEPARATOR = " ||| "
FEATURE = "ModelLogProb"
"""The name of the feature that is added; a second of the name is ModelLogProb2, and so on."""


@dataclass(frozen=True)
class Entry:
    """A line of a list: `id ||| translation ||| features ||| score [||| more]`."""

    number: int
    """Of the source line, from 0."""
    text: str
    features: str
    score: float
    rest: tuple[str, ...]

    def line(self) -> str:
        """As it is written."""
        return SEPARATOR.join([str(self.number), self.text, self.features, f"{self.score:.4f}", *self.rest])


def parse(line: str, where: str) -> Entry:
    """Read a line; `where` is its file and number.

    Raises:
        DataError: it is no line of an n-best list.
    """
    fields = [field.strip(" ") for field in line.split("|||")]  # other white space may belong to the text
    try:
        number, text, features, score, *rest = fields
        entry = Entry(int(number), text, features, float(score), tuple(rest))
    except ValueError:
        raise DataError(f"{where}: is no line `id ||| translation ||| features ||| score` of an n-best list") from None
    if math.isnan(entry.score) or entry.score == math.inf:
        raise DataError(f"{where}: its score is {score}, by which nothing can be ranked")
    return entry


def rescored(
    entries: Iterable[Entry], sources: Sequence[str], forcer: Forcer, weight: float, name: str
) -> Iterator[list[Entry]]:
    """List by list: a feature ModelLogProb more, and the best first.

    The score becomes (1 - weight) * score + weight * log-probability a subword.

    Raises:
        DataError: a list of a line that the source, called `name`, has not, or whose entries do not stand together.
    """
    seen: set[int] = set()
    for number, group in groupby(entries, key=lambda entry: entry.number):
        if number in seen:
            raise DataError(f"list {number} stands in several places: bring its lines together (sort -s -n)")
        seen.add(number)
        listed = list(group)
        if not 0 <= number < len(sources):
            raise DataError(f"{name}: has {len(sources)} lines, so there is no line {number}, which a list is of")
        forced = forcer.force([sources[number]] * len(listed), [entry.text for entry in listed])
        found = [_changed(entry, one, weight) for entry, one in zip(listed, forced, strict=True)]
        yield sorted(found, key=lambda entry: -entry.score)


def _changed(entry: Entry, forced: Forced, weight: float) -> Entry:
    log_prob = sum(forced.token_log_probs)
    score = weight * log_prob / max(1, len(forced.token_log_probs))
    if weight < 1:  # what was -inf would be no number in the sum
        score += (1 - weight) * entry.score
    before = len(re.findall(rf"\b{FEATURE}\d*=", entry.features))
    features = f"{entry.features} {FEATURE}{before + 1 if before else ''}= {log_prob:.4f}".strip()
    return Entry(entry.number, entry.text, features, score, entry.rest)
