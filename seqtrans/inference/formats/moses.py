"""The n-best format of Moses: `id ||| hypothesis ||| features ||| score [||| alignment]`."""

from __future__ import annotations

from seqtrans.inference.formats.base import Format, pharaoh
from seqtrans.inference.translation import Translation
from seqtrans.io.lines import one_line


def write(number: int, translation: Translation) -> bytes:
    """One line for each translation; ids count lines from 0."""
    written = []
    for scored_text in translation.n_best:
        fields = [
            str(number),
            scored_text.text.replace("|||", "| | |"),  # must not look like a separator
            f"LogProb= {scored_text.log_prob:.4f} Subwords= {len(scored_text.subwords)}",
            f"{scored_text.score:.4f}",
        ]
        if scored_text.alignment is not None:
            fields.append(pharaoh(scored_text.alignment))
        written.append(one_line(" ||| ".join(fields)))
    return b"".join(written)


PLUGIN = Format(write, has_lists=True)
