"""The n-best format of Moses: `id ||| hypothesis ||| features ||| score [||| alignment]`."""

from __future__ import annotations

from seqtrans.inference.formats.base import Format, pharaoh
from seqtrans.inference.translation import Translation
from seqtrans.io.lines import one_line


def write(number: int, translation: Translation) -> bytes:
    """One line for each translation; ids count lines from 0."""
    written = []
    for one in translation.n_best:
        fields = [
            str(number),
            one.text.replace("|||", "| | |"),  # must not look like a separator
            f"LogProb= {one.log_prob:.4f} Subwords= {len(one.subwords)}",
            f"{one.score:.4f}",
        ]
        if one.alignment is not None:
            fields.append(pharaoh(one.alignment))
        written.append(one_line(" ||| ".join(fields)))
    return b"".join(written)


PLUGIN = Format(write, has_lists=True)
