"""Text that a subword model cannot write, because its letters or words are not in the vocabulary: counted, told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seqtrans.io.line_report import LineReport, UnknownText
from seqtrans.text.subwords import FIRST_PIECE_ID, SPACE, UNK_ID, SubwordModel

_REPLACEMENT = "\ufffd"
"""What stands for bytes that are not UTF-8, which have a warning of their own."""


def unknown_text(subwords: SubwordModel, pieces: Iterable[str]) -> UnknownText:
    """The unknown characters or words of a line that `encode_pieces` split."""
    unknown = [piece for piece in pieces if subwords.id_of(piece) < FIRST_PIECE_ID]
    if subwords.type != "word":  # one unknown piece can have several characters
        unknown = [character for piece in unknown for character in piece if subwords.id_of(character) < FIRST_PIECE_ID]
    different = dict.fromkeys(text.removeprefix(SPACE) or " " for text in unknown if _REPLACEMENT not in text)
    return UnknownText(tuple(different), subwords.type == "word")


def count_unknown(report: LineReport, subwords: SubwordModel, lines: Sequence[str], first: int = 1) -> None:
    """Count in `report` the lines with unknown text; `first` is the number of the first of them."""
    for number, (line, ids) in enumerate(zip(lines, subwords.encode_batch(lines), strict=True), first):
        if UNK_ID in ids:
            add_unknown(report, subwords, number, line)


def report_of_pairs(name: str, side: str) -> LineReport:
    """A report for one side, "source" or "target", of pairs from the text called `name`."""
    report = LineReport(name)
    report.unknown.side = side
    return report


def add_unknown(report: LineReport, subwords: SubwordModel, number: int, line: str) -> None:
    """Count in `report` one line that has unknown text."""
    report.unknown.add_unknown(number, unknown_text(subwords, subwords.encode_pieces(line)))
