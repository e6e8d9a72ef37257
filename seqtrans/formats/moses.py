"""The n-best format of Moses: `id ||| hypothesis ||| features ||| score [||| alignment]`."""

from __future__ import annotations

from seqtrans.formats.base import Written
from seqtrans.text.lines import one_line


def write(line: Written) -> bytes:
    """One line for each translation; ids count lines from 0."""
    written = []
    for text, h in zip(line.translation.texts, line.translation.hypotheses, strict=True):
        clean = text.replace("|||", "| | |")  # a hypothesis must not look like a separator
        fields = [
            str(line.number),
            clean,
            f"LogProb= {h.log_prob:.4f} Subwords= {len(h.tokens)}",
            f"{h.score:.4f}",
        ]
        if line.alignment != "none":
            fields.append(line.pharaoh(h))
        written.append(one_line(" ||| ".join(fields)))
    return b"".join(written)


PLUGIN = write
