"""Translation of a stream: lines are translated and written in an output format, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from seqtrans.inference.formats.base import Format
from seqtrans.inference.search_report import report_line
from seqtrans.inference.source_lines import MAX_SUBWORDS
from seqtrans.inference.translation import Translation
from seqtrans.inference.workers import in_processes
from seqtrans.io.filters import chunks_of
from seqtrans.io.lines import LineReport, read_lines, refuse_cut
from seqtrans.text.subwords import SubwordModel

CHUNK_BATCHES = 16
"""Batches per chunk. The lines of a chunk are sorted by length together."""


@dataclass(frozen=True)
class RenderedChunk:
    """The output for the lines of a chunk. Line numbers count from 1."""

    lines: list[bytes]
    """The output for each line."""
    truncated: list[int]
    """Numbers of the lines that were cut because they are too long."""
    incomplete: list[int]
    """Numbers of the lines whose translation does not respect the whole prefix or all required phrases."""
    failed: list[int]
    """Numbers of the lines without a translation."""
    unproven: int
    """How many translations exact search could not prove to be the best."""
    records: bytes
    """The steps of the searches as JSON lines, if they are recorded."""

    def count_in(self, report: LineReport) -> None:
        """Add the numbers of the lines to the report of their stream."""
        for tally, numbers in (
            (report.shortened, self.truncated),
            (report.unsatisfied, self.incomplete),
            (report.untranslated, self.failed),
        ):
            for number in numbers:
                tally.add(number)


@dataclass(frozen=True)
class ChunkRenderer:
    """Translates the lines of a chunk and writes the translations in an output format."""

    translate: Callable[[list[str]], list[Translation]]
    output_format: Format
    record_subwords: SubwordModel | None = None
    """The target's subword model if the search is to be recorded, else None."""

    def __call__(self, lines: list[str], first: int) -> RenderedChunk:
        """The output for `lines`; `first` is the number, from 0, of the first of them."""
        translations = list(enumerate(self.translate(lines), first))
        records = b""
        if self.record_subwords is not None:
            records = b"".join(report_line(number, one, self.record_subwords) for number, one in translations)
        return RenderedChunk(
            [self.output_format.write(number, one) for number, one in translations],
            _numbers(translations, lambda one: one.truncated),
            _numbers(translations, lambda one: one.incomplete),
            _numbers(translations, lambda one: one.failed),
            sum(one.proven is False for _, one in translations),
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
    whole_lines: bool = False
    """Whether a line is an error if it is longer than `io.lines.MAX_LINE_BYTES`; else it is cut."""

    def chunk_size(self, *, record: bool) -> int:
        """Lines of a chunk: several batches, or one if whole searches are kept in memory for a record."""
        batches = 1 if record else max(1, CHUNK_BATCHES // self.processes)
        return max(1, self.batch_size * batches // max(1, self.samples))


class LineStream:
    """The lines of a stream, and a `report` of those that were cut, failed and so on."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.stream = stream
        self.report = LineReport(name, length_limit=f"{MAX_SUBWORDS} subwords")
        self.done = 0
        """Number of lines that were translated."""
        self.unproven = 0
        """Number of translations that exact search could not prove to be the best."""

    def rendered(self, renderer: ChunkRenderer, options: StreamOptions) -> Iterator[RenderedChunk]:
        """The output of each chunk, in order, as soon as it is ready.

        Raises:
            DataError: a line is too long, and `options.whole_lines` is set.
            SeqtransError: a process died.
        """
        size = options.chunk_size(record=renderer.record_subwords is not None)
        chunks = chunks_of(self.stream, read_lines(self.stream, self.report), size)
        for chunk in in_processes(renderer, chunks, options.processes, options.threads):
            if options.whole_lines and 0 < self.report.cut.first <= self.done + len(chunk.lines):
                refuse_cut(self.report)
            chunk.count_in(self.report)
            self.done += len(chunk.lines)
            self.unproven += chunk.unproven
            yield chunk


def _numbers(translations: Sequence[tuple[int, Translation]], applies: Callable[[Translation], bool]) -> list[int]:
    return [number + 1 for number, one in translations if applies(one)]
