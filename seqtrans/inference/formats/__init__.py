"""Output formats for translations, one file each."""

from __future__ import annotations

from typing import cast

from seqtrans import plugins
from seqtrans.errors import UsageError
from seqtrans.inference.formats.base import Format


def find_format(name: str, *, lists: bool = False) -> Format:
    """The format of this name. With `lists`, it must be able to write several translations of a line.

    Raises:
        UsageError: there is no such format, or it cannot write lists.
    """
    output_format = cast(Format, plugins.load(__name__, "format", name, lambda member: isinstance(member, Format)))
    if lists and not output_format.has_lists:
        raise UsageError(
            "several translations of a line need --format moses or jsonl: plain text does not show where a list ends"
        )
    return output_format
