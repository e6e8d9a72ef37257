"""Which options go together, and the limits of length that they give a request."""

from __future__ import annotations

from typing import Any

import pytest

from seqtrans.errors import UsageError
from seqtrans.search.hypothesis import Request
from seqtrans.search.options import SearchOptions

SOURCE = [4] * 5
"""With EOS six subwords."""


@pytest.mark.parametrize(
    ("options", "shortest", "longest"),
    [
        (SearchOptions(), 0, 2 * 6 + 10),
        (SearchOptions(max_ratio=1.5, max_extra=2), 0, 9 + 2),
        (SearchOptions(max_ratio=0.4, max_extra=0), 0, 2),  # 2.4 is rounded down
        (SearchOptions(min_ratio=0.5, min_extra=2), 3 + 2, 22),
        (SearchOptions(min_ratio=0.4), 2, 22),
        (SearchOptions(min_extra=7, max_ratio=0, max_extra=4), 4, 4),  # the maximum limits the minimum
    ],
)
def test_lengths_grow_with_the_source(options: SearchOptions, shortest: int, longest: int) -> None:
    assert options.min_length(Request(SOURCE)) == shortest
    assert options.max_length(Request(SOURCE)) == longest


def test_what_every_hypothesis_contains_is_allowed_beside_the_maximum() -> None:
    request = Request(SOURCE, prefix=[5, 6], required=[[7], [8, 9, 10]])
    assert SearchOptions(max_ratio=1, max_extra=0).max_length(request) == 6 + 2 + 4


@pytest.mark.parametrize(
    ("allowed", "changes", "words"),
    [
        ({"sample": 2}, {"beam": 6}, "leave out beam"),
        ({"sample": 2}, {"exact": True}, "leave out exact"),
        ({"sample": 2}, {"groups": 5}, "leave out groups"),
        ({"sample": 2}, {"require": True}, "leave out require"),
        ({"sample": 2}, {"record": True}, "leave out report"),
        ({"sample": 2, "n_best": 2, "mbr": "chrf"}, {"n_best": 3}, "draw at least n_best"),
        ({"sample": 2, "n_best": 2, "mbr": "chrf"}, {"mbr": ""}, "draw at least n_best"),
        ({"sample": 2, "mbr": "chrf"}, {"sample": 1}, "draw more than one sample"),
        ({"beam": 3, "n_best": 3}, {"n_best": 4}, "add --beam 4"),
        ({"beam": 2, "mbr": "bleu"}, {"beam": 1}, "set beam or sample above 1"),
        ({"beam": 6, "groups": 3}, {"beam": 7}, "7 hypotheses cannot be divided into 3; add --beam 9"),
        ({"beam": 2, "groups": 2}, {"require": True}, "leave out groups"),
        ({"beam": 2, "groups": 2}, {"prefix": True}, "leave out groups"),
        ({"beam": 2, "require": True, "prefix": True}, {"groups": 2}, "leave out groups"),
        ({"exact": True}, {"n_best": 2}, "leave out n_best"),
        ({"exact": True}, {"mbr": "chrf"}, "leave out mbr"),
        ({"exact": True}, {"shortlist": True}, "leave out shortlist"),
        ({"exact": True}, {"record": True}, "leave out report"),
    ],
)
def test_one_change_too_many_is_refused(allowed: dict[str, Any], changes: dict[str, Any], words: str) -> None:
    SearchOptions(**allowed)
    with pytest.raises(UsageError, match=words):
        SearchOptions(**(allowed | changes))
