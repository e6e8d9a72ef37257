"""Rescoring: n-best lists in the format of Moses are ranked by the log-probabilities of a translation model."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from seqtrans.errors import DataError
from seqtrans.inference.forced_decoding import ForcedDecoder, ForcedTranslation
from seqtrans.inference.formats.moses import escaped, unescaped
from seqtrans.inference.translation import SCORE_DECIMALS

SEPARATOR = " ||| "
FEATURE = "ModelLogProb"
"""The name of the new feature. If a list has a feature of this name, the new one is ModelLogProb2, and so on."""


@dataclass(frozen=True)
class Entry:
    """One line of an n-best list: `id ||| translation ||| features ||| score [||| more]`."""

    number: int
    """The number of the source line, from 0."""
    text: str
    features: str
    score: float
    rest: tuple[str, ...]

    def line(self) -> str:
        """The entry as a line of a list."""
        score = f"{self.score:.{SCORE_DECIMALS}f}"
        return SEPARATOR.join([str(self.number), escaped(self.text), self.features, score, *self.rest])


def parse(line: str, where: str) -> Entry:
    """Read a line. `where` is its file and number, for error messages.

    Raises:
        DataError: it is no line of an n-best list.
    """
    fields = [field.strip(" ") for field in line.split("|||")]  # only blanks: other white space may belong to the text
    try:
        number, text, features, score, *rest = fields
        entry = Entry(int(number), unescaped(text), features, float(score), tuple(rest))
    except ValueError:
        raise DataError(f"{where}: is no line `id ||| translation ||| features ||| score` of an n-best list") from None
    if math.isnan(entry.score) or entry.score == math.inf:
        raise DataError(f"{where}: its score is {score}, which cannot be ranked; write a number or -inf")
    return entry


def rescored_lists(
    entries: Iterable[Entry], sources: Sequence[str], decoder: ForcedDecoder, weight: float, name: str
) -> Iterator[list[Entry]]:
    """Each list with one more feature, ModelLogProb, and new scores; best entry first.

    The new score is (1 - weight) * score + weight * log-probability / number of subwords, EOS included. `sources` are
    the lines of the file called `name`.

    Raises:
        DataError: the source has no line of a list's number, or the entries of a list are not consecutive.
    """
    numbers: set[int] = set()
    for number, group in groupby(entries, key=lambda entry: entry.number):
        if number in numbers:
            raise DataError(f"list {number}: its lines are not consecutive: sort the lists (sort -s -n)")
        numbers.add(number)
        n_best = list(group)
        if not 0 <= number < len(sources):
            raise DataError(
                f"{name}: has {len(sources)} lines, so no line {number}, the id of a list (ids count from 0)"
            )
        translations = decoder.force([sources[number]] * len(n_best), [entry.text for entry in n_best])
        rescored = [_rescore(*pair, weight) for pair in zip(n_best, translations, strict=True)]
        yield sorted(rescored, key=lambda entry: -entry.score)


def _rescore(entry: Entry, translation: ForcedTranslation, weight: float) -> Entry:
    log_prob = sum(translation.token_log_probs)
    score = weight * log_prob / max(1, len(translation.token_log_probs))
    if weight < 1:  # 0 * -inf would be NaN
        score += (1 - weight) * entry.score
    same_names = len(re.findall(rf"\b{FEATURE}\d*=", entry.features))
    feature = f"{FEATURE}{same_names + 1 if same_names else ''}= {log_prob:.{SCORE_DECIMALS}f}"
    features = f"{entry.features} {feature}".strip()
    return Entry(entry.number, entry.text, features, score, entry.rest)
