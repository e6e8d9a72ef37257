"""The n-best format of Moses: `id ||| hypothesis ||| features ||| score [||| alignment]`.

Three or more bars in a row would look like a separator, so in a hypothesis they are written as Moses itself escapes
bars: `|||` is `&#124;&#124;&#124;`. Where `&#124;` of the text itself stands in a row of three or more with bars or its
like, it becomes `&amp;#124;`. So each line can be read back exactly. All else is written as it is.
"""

from __future__ import annotations

import re

from seqtrans.inference.formats.base import Format, pharaoh
from seqtrans.inference.translation import SCORE_DECIMALS, Translation
from seqtrans.io.lines import one_line

_BARS = re.compile(r"(?:\||&(?:amp;)*#124;){3,}")
"""Bars and escaped bars in a row, of which at least one reading has three bars."""
_ENTITY = "&#124;"


def escaped(text: str) -> str:
    """A hypothesis as it is written in a line."""
    # in this order, as the first step leaves bars alone, and the second makes what the first would change
    return _BARS.sub(lambda row: row[0].replace("&", "&amp;").replace("|", _ENTITY), text)


def unescaped(field: str) -> str:
    """The hypothesis that was written as `field`, by this format or by Moses."""
    return _BARS.sub(lambda row: row[0].replace(_ENTITY, "|").replace("&amp;", "&"), field)


def write(number: int, translation: Translation) -> bytes:
    """One line for each translation; ids count lines from 0."""
    written = []
    for scored_text in translation.n_best:
        fields = [
            str(number),
            escaped(scored_text.text),
            f"LogProb= {scored_text.log_prob:.{SCORE_DECIMALS}f} Subwords= {len(scored_text.subwords)}",
            f"{scored_text.score:.{SCORE_DECIMALS}f}",
        ]
        if scored_text.alignment is not None:
            fields.append(pharaoh(scored_text.alignment))
        written.append(one_line(" ||| ".join(fields)))
    return b"".join(written)


PLUGIN = Format(write, has_lists=True)
