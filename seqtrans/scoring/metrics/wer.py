"""Word error rate; for phones with spaces between them, the phone error rate."""

from __future__ import annotations

from collections.abc import Sequence

from seqtrans.scoring.error_rate import ErrorRate


class Wer(ErrorRate):
    """`ErrorRate` over words, or phones, that are separated by white space (WER, PER)."""

    name = "wer"
    label = "WER"
    unit = "words"
    described = "unit:word|tok:split|norm:none"

    def symbols(self, line: str) -> Sequence[str]:
        """The line's words."""
        return line.split()


PLUGIN = Wer
