"""Search options from a file and the command line: what excludes what, and what is ignored."""

from __future__ import annotations

from typing import Any

import pytest

from seqtrans.errors import UsageError
from seqtrans.search.options import SearchOptions
from seqtrans.search.settings import search_options

Values = dict[str, Any]


@pytest.mark.parametrize(
    ("shared", "explicit", "expected"),
    [
        ({"sample": 5}, {"beam": 4}, {"beam": 4}),
        ({"sample": 5}, {"n_best": 3}, {"n_best": 3}),
        ({"sample": 5}, {"record": True}, {"record": True}),
        ({"sample": 5, "temperature": 2.0}, {"require": True}, {"require": True}),
        ({"beam": 9, "groups": 3, "n_best": 2}, {"sample": 4}, {"sample": 4}),
        ({"mbr": "chrf", "n_best": 5}, {"sample": 3}, {"mbr": "chrf", "sample": 3}),
        ({"mbr": "chrf", "n_best": 5}, {"mbr": "", "sample": 4}, {"sample": 4}),
        ({"exact": True}, {"n_best": 3}, {"n_best": 3}),
        ({"exact": True, "max_expansions": 7}, {"mbr": "chrf"}, {"mbr": "chrf"}),
        ({"shortlist": True, "n_best": 2}, {"exact": True}, {"exact": True}),
        ({"groups": 5}, {"require": True}, {"require": True}),
        ({"groups": 5, "diversity": 0.1}, {"beam": 4}, {"beam": 4}),
        ({"n_best": 5}, {"beam": 1}, {"beam": 1}),
        ({"mbr": "chrf"}, {"beam": 1}, {"beam": 1}),
        ({"mbr": "chrf"}, {"sample": 1}, {"sample": 1}),
        ({"beam": 3}, {"n_best": 4}, {"n_best": 4}),
        ({"lm_weight": 0.5, "ensemble": "log-probabilities", "seed": 3}, {}, {}),
        ({"beam": 2, "word_reward": 0.5}, {"beam": 3}, {"beam": 3, "word_reward": 0.5}),
    ],
)
def test_what_an_explicit_option_excludes_is_ignored(shared: Values, explicit: Values, expected: Values) -> None:
    assert search_options([(shared, "file")], [(explicit, "flag")]) == SearchOptions(**expected)


@pytest.mark.parametrize(
    ("shared", "explicit", "message"),
    [
        ({"sample": 5, "exact": True}, {}, "^file: sample draws translations and does not search: leave out exact"),
        ({}, {"sample": 5, "beam": 4, "exact": True}, "^sample draws .*: leave out beam, exact"),
        ({}, {"exact": True, "shortlist": True, "n_best": 2}, "leave out n_best, shortlist"),
        ({"beam": 3}, {"n_best": 9}, "n_best = 9 needs a beam as wide: add --beam 9"),
        ({}, {"seed": 2}, "seed has no effect without sample"),
        ({"sample": 3}, {"seed": 2, "beam": 4}, "seed has no effect without sample"),
        ({}, {"lm_weight": 0.2}, "lm_weight has no effect without a language model"),
        ({}, {"beam": "wide"}, "^flag: beam must be a whole number"),
        ({"beam": 0}, {"beam": 3}, "^file: beam must be at least 1"),
    ],
)
def test_what_cannot_work_is_an_error(shared: Values, explicit: Values, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        search_options([(shared, "file")], [(explicit, "flag")])
