"""Plain text: one line for each translation; an alignment, if there is one, follows after a TAB."""

from __future__ import annotations

from seqtrans.inference.formats.base import Format, pharaoh
from seqtrans.inference.translation import ScoredText, Translation
from seqtrans.io.lines import one_line


def write(_number: int, translation: Translation) -> bytes:
    """One line for each translation."""
    return b"".join(one_line(_line(scored_text)) for scored_text in translation.n_best)


def _line(scored_text: ScoredText) -> str:
    text, alignment = scored_text.text, scored_text.alignment
    if alignment is None:
        return text
    # a TAB in the text would look like the one before the alignment
    return f"{text.replace(chr(9), ' ')}\t{pharaoh(alignment)}"


PLUGIN = Format(write, has_lists=False)
