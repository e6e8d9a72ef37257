"""Translation (or tagging) of a stream: its lines become lines of an output format, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from seqtrans.inference.formats.base import Format
from seqtrans.inference.search_record import record_line
from seqtrans.inference.source_lines import MAX_SUBWORDS
from seqtrans.inference.translation import Translation
from seqtrans.inference.workers import in_processes
from seqtrans.io.filters import chunks_of
from seqtrans.io.line_report import LineReport, UnknownText
from seqtrans.io.lines import read_lines
from seqtrans.text.subwords import SubwordModel

CHUNK_BATCHES = 16
"""Batches per chunk. The lines of a chunk are sorted by length together."""


@dataclass(frozen=True)
class TranslatedChunk:
    """The output for the lines of a chunk. Line numbers count from 1."""

    lines: list[bytes]
    """The output for each line."""
    truncated: list[int]
    """Numbers of the lines with `Translation.truncated`."""
    incomplete: list[int]
    """Numbers of the lines with `Translation.incomplete`."""
    failed: list[int]
    """Numbers of the lines with `Translation.failed`."""
    unknown: list[tuple[int, UnknownText]]
    """Numbers of the lines with `Translation.unknown`, and what that is."""
    unproven: int
    """How many translations exact search could not prove to be the best."""
    with_tabs: int
    """How many source lines have a TAB."""
    records: bytes
    """The steps of the searches as JSON lines, if they are recorded."""

    def count_in(self, report: LineReport) -> None:
        """Add the numbers of the lines to the report of their stream."""
        for affected, numbers in (
            (report.shortened, self.truncated),
            (report.unsatisfied, self.incomplete),
            (report.untranslated, self.failed),
        ):
            for number in numbers:
                affected.add(number)
        for number, text in self.unknown:
            report.unknown.add_unknown(number, text)


@dataclass(frozen=True)
class ChunkTranslator:
    """Translates the lines of a chunk and gives the translations the form of an output format."""

    translate: Callable[[list[str]], list[Translation]]
    """A translator's or a tagger's function from lines to translations or tags."""
    output_format: Format
    record_subwords: SubwordModel | None = None
    """The target's subword model if the search is to be recorded, else None."""
    lines_before: int = 0
    """Lines of texts before this one, from which the numbers in the output count on."""

    def __call__(self, lines: list[str], first: int) -> TranslatedChunk:
        """The output for `lines`; `first` is the number, from 0, of the first of them in its text."""
        translations = list(enumerate(self.translate(lines), first))
        numbered = [(number + self.lines_before, translation) for number, translation in translations]
        records = b""
        if self.record_subwords is not None:
            records = b"".join(
                record_line(number, translation, self.record_subwords) for number, translation in numbered
            )
        return TranslatedChunk(
            [self.output_format.write(number, translation) for number, translation in numbered],
            [number + 1 for number, translation in translations if translation.truncated],
            [number + 1 for number, translation in translations if translation.incomplete],
            [number + 1 for number, translation in translations if translation.failed],
            [(number + 1, translation.unknown) for number, translation in translations if translation.unknown],
            sum(translation.proven is False for _, translation in translations),
            sum("\t" in line for line in lines),
            records,
        )


@dataclass(frozen=True)
class StreamOptions:
    """How the lines of a stream are divided into chunks and among processes."""

    batch_size: int = 64
    """Lines that are searched in one batch."""
    samples: int = 0
    """Translations that are drawn for each line (0: a search); each counts as a line of a batch."""
    processes: int = 1
    """Processes that share the chunks."""
    threads: int = 0
    """Processor threads of each process, if there are several; 0: its share of the processors."""
    refuse_long_lines: bool = False
    """Whether a line of more than `io.lines.MAX_LINE_BYTES` is an error; else it is cut."""

    def chunk_size(self, *, record: bool) -> int:
        """Lines of a chunk: several batches, or one if whole searches are kept in memory for a record."""
        batches = 1 if record else max(1, CHUNK_BATCHES // self.processes)
        return max(1, self.batch_size * batches // max(1, self.samples))


class LineStream:
    """The lines of a stream, and a `report` of their problems."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.stream = stream
        self.report = LineReport(name, length_limit=f"{MAX_SUBWORDS} subwords")
        self.done = 0
        """Number of lines translated so far."""
        self.unproven = 0
        """Number of translations that exact search could not prove to be the best."""
        self.with_tabs = 0
        """Number of lines that have a TAB."""

    def translated_chunks(self, translator: ChunkTranslator, options: StreamOptions) -> Iterator[TranslatedChunk]:
        """The output of each chunk, in order, as soon as it is ready.

        Raises:
            DataError: a line is too long, and `options.refuse_long_lines` is set.
            SeqtransError: a process died.
        """
        size = options.chunk_size(record=translator.record_subwords is not None)
        chunks = chunks_of(self.stream, read_lines(self.stream, self.report), size)
        for chunk in in_processes(translator, chunks, options.processes, options.threads):
            # the reader may be chunks ahead: the chunks before that of the line that was cut are still given
            if options.refuse_long_lines and 0 < self.report.cut.first <= self.done + len(chunk.lines):
                self.report.refuse_long_lines()
            chunk.count_in(self.report)
            self.done += len(chunk.lines)
            self.unproven += chunk.unproven
            self.with_tabs += chunk.with_tabs
            yield chunk
