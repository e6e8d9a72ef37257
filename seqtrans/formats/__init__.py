"""How translations are written: one file a format."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from seqtrans import plugins
from seqtrans.formats.base import Written


def find_format(name: str) -> Callable[[Written], bytes]:
    """The function that writes one line's translations.

    Raises:
        UsageError: there is no such format.
    """
    return cast(Callable[[Written], bytes], plugins.load(__name__, "format", name))
