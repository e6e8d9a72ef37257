"""Character error rate."""

from __future__ import annotations

from collections.abc import Sequence

from seqtrans.scoring.error_rate import ErrorRate


class Cer(ErrorRate):
    """`ErrorRate` over Unicode code points, spaces included."""

    name = "cer"
    label = "CER"
    unit = "chars"
    described = "unit:char|space:yes|norm:none"

    def symbols(self, line: str) -> Sequence[str]:
        """The line's code points."""
        return line


PLUGIN = Cer
