"""Lines of input as subword ids: source, prefix and required phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqtrans.io.line_report import UnknownText
from seqtrans.search.options import SearchOptions
from seqtrans.text.scripts import has_spaceless
from seqtrans.text.subwords import UNK_ID, SubwordModel
from seqtrans.text.unknown import unknown_text

MAX_SUBWORDS = 500
"""The most subwords of a source, of a prefix, and of all phrases of a line together. The rest is left out."""


@dataclass(frozen=True)
class EncodedLine:
    """One line to translate, without the parts that the model cannot use."""

    text: str
    """The source text."""
    ids: Sequence[int]
    """Subwords of the source, at most MAX_SUBWORDS; empty if it is blank."""
    prefix: Sequence[int]
    """Subwords of the prefix before the first unknown one, at most MAX_SUBWORDS."""
    phrases: Sequence[list[int]]
    """Required phrases without unknown subwords."""
    truncated: bool
    """Whether the source, or the prefix before its first unknown subword, is longer than MAX_SUBWORDS."""
    dropped: bool
    """Whether something required is left out: the prefix from an unknown subword on, if that is among the first
    MAX_SUBWORDS; or phrases that have an unknown subword or are beyond the limit. A prefix that is only too long is
    `truncated`, not `dropped`."""
    unknown: UnknownText | None = None
    """What in the source is unknown to the model; None if nothing is."""

    def is_incomplete(self) -> bool:
        """Whether a prefix or phrases are ignored, in part or in full: see `dropped`, or the source is blank."""
        return self.dropped or (not self.ids and bool(self.prefix or self.phrases))


def encode_lines(
    lines: Sequence[str], options: SearchOptions, source: SubwordModel, target: SubwordModel
) -> list[EncodedLine]:
    """Split lines at TABs into the columns that `options.prefix` and `options.require` announce, and encode them."""
    rows = [_columns(line, options) for line in lines]
    ids = source.encode_batch([text if text.strip() else "" for text, _, _ in rows])
    prefixes = target.encode_batch([prefix for _, prefix, _ in rows])
    encoded = []
    for (text, _, phrases), source_ids, prefix in zip(rows, ids, prefixes, strict=True):
        known_prefix = known_beginning(prefix)
        required = list(filter(None, (_phrase_ids(phrase, target) for phrase in dict.fromkeys(phrases))))
        usable = usable_phrases(required)
        encoded.append(
            EncodedLine(
                text,
                source_ids[:MAX_SUBWORDS],
                known_prefix[:MAX_SUBWORDS],
                usable,
                len(source_ids) > MAX_SUBWORDS or len(known_prefix) > MAX_SUBWORDS,
                len(usable) < len(required) or len(known_prefix[:MAX_SUBWORDS]) < len(prefix[:MAX_SUBWORDS]),
                unknown_text(source, source.encode_pieces(text)) if UNK_ID in source_ids else None,
            )
        )
    return encoded


def _columns(line: str, options: SearchOptions) -> tuple[str, str, list[str]]:
    """Source, prefix and phrases of a line."""
    if not (options.prefix or options.require):
        return line, "", []
    text, *columns = line.split("\t") if options.require else line.split("\t", 1)
    # a further TAB in a prefix would look like a column of the output
    prefix = columns.pop(0).replace("\t", " ") if options.prefix and columns else ""
    return text, prefix, columns


def _phrase_ids(phrase: str, target: SubwordModel) -> list[int]:
    """Subwords of a required phrase. It begins a word, unless it has letters that are written without spaces."""
    return target.encode_inside(phrase.strip()) if has_spaceless(phrase) else target.encode(phrase)


def known_beginning(prefix: Sequence[int]) -> Sequence[int]:
    """The subwords before the first unknown one."""
    return prefix[: prefix.index(UNK_ID)] if UNK_ID in prefix else prefix


def usable_phrases(phrases: Sequence[list[int]]) -> list[list[int]]:
    """The phrases without unknown subwords that fit, in order, into MAX_SUBWORDS subwords together."""
    usable: list[list[int]] = []
    length = 0
    for phrase in phrases:
        if UNK_ID not in phrase and length + len(phrase) <= MAX_SUBWORDS:
            usable.append(phrase)
            length += len(phrase)
    return usable
