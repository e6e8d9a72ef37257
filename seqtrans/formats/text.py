"""Plain text: a line each, and the alignment after a TAB where one is wanted."""

from __future__ import annotations

from seqtrans.formats.base import Written
from seqtrans.text.lines import one_line


def write(line: Written) -> bytes:
    """One line for each translation."""
    both = zip(line.translation.texts, line.translation.hypotheses, strict=True)
    if line.alignment == "none":
        return b"".join(one_line(text) for text, _ in both)
    return b"".join(one_line(f"{text.replace(chr(9), ' ')}\t{line.pharaoh(h)}") for text, h in both)


PLUGIN = write
