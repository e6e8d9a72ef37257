"""How well subwords cover a training text: what they cannot write is told, and too much of it refused."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seqtrans.errors import DataError
from seqtrans.io.line_report import LineReport
from seqtrans.text.corpus import EncodedCorpus, ParallelText, Ragged
from seqtrans.text.stream import PlainText, TextStream
from seqtrans.text.subwords import EOS_ID, UNK_ID, SubwordModel
from seqtrans.text.unknown import add_unknown, report_of_pairs

MOST = 0.3
"""If a larger share of the subwords of a training text is unknown, the subwords are those of another text."""


def tell_unknown(
    text: ParallelText, corpus: EncodedCorpus, source: SubwordModel, target: SubwordModel, *, is_training: bool
) -> None:
    """Warn of the pairs of `corpus`, which was encoded from `text`, that have unknown text on a side.

    Raises:
        DataError: it is a training text, and more than the share `MOST` of the subwords of a side is unknown.
    """
    sides = (("source", corpus.source, source, text.source), ("target", corpus.target, target, text.target))
    for side, encoded, subwords, lines in sides:
        report = report_of_pairs(text.name, side)
        for place in _lines_with_unknown(encoded):
            number = int(corpus.kept[place])
            add_unknown(report, subwords, number, lines[text.row_of(number)])
        report.log_warnings()
        if is_training:
            _refuse_most(encoded.flat, text.name, f"the {side}'s", subwords)


def tell_unknown_of_text(text: PlainText, stream: TextStream, subwords: SubwordModel, *, is_training: bool) -> None:
    """The same for a text of one language and its stream of subwords.

    Raises:
        DataError: as for `tell_unknown`.
    """
    report = LineReport(text.name)
    ends = np.flatnonzero(stream.ids == EOS_ID)
    for row in np.unique(np.searchsorted(ends, np.flatnonzero(stream.ids == UNK_ID))).tolist():
        add_unknown(report, subwords, row + 1, text.lines[row])
    report.log_warnings()
    if is_training:
        _refuse_most(stream.ids[stream.ids != EOS_ID], text.name, "the", subwords)


def _lines_with_unknown(encoded: Ragged) -> Iterator[int]:
    """The places, from 0 and in order, of the sequences that have an unknown subword."""
    unknown = np.flatnonzero(encoded.flat == UNK_ID)
    yield from np.unique(np.searchsorted(encoded.offsets, unknown, side="right") - 1).tolist()


def _refuse_most(ids: NDArray[np.int32], name: str, whose: str, subwords: SubwordModel) -> None:
    share = float(np.mean(ids == UNK_ID)) if len(ids) else 0.0
    if share > MOST:
        larger = ", or give them a larger vocab_size" if subwords.type == "word" else ""
        raise DataError(
            f"{name}: {share:.0%} of {whose} subwords are unknown; learn subwords from this text: "
            f"leave out --subwords{larger}"
        )
