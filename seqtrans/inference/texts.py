"""Several texts as one stream of translated chunks, each text with its own name and line numbers in messages."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from seqtrans.inference.stream import ChunkTranslator, LineStream, StreamOptions, TranslatedChunk
from seqtrans.io.lines import open_input

_logger = logging.getLogger(__name__)


class Texts:
    """The lines of several texts, one after the other."""

    def __init__(self, texts: Sequence[Path], translator: ChunkTranslator, options: StreamOptions) -> None:
        self._texts = texts
        self._translator = translator
        self._options = options
        self.done = 0
        """Number of lines translated so far."""
        self.unproven = 0
        """Number of translations that exact search could not prove to be the best."""

    def translated_chunks(self, *, takes_columns: bool) -> Iterator[TranslatedChunk]:
        """The output of each chunk, in order, as soon as it is ready.

        Warns at the end of each text of what is wrong with its lines. Unless the search `takes_columns`, it also warns
        of the first text in which most lines have a TAB.

        Raises:
            StreamError: a text cannot be read.
            DataError: a line is too long for a tagger.
            SeqtransError: a process died.
        """
        is_warned = takes_columns
        for text in self._texts:
            with open_input(text) as (stream, name):
                lines = LineStream(stream, name)
                try:
                    yield from lines.translated_chunks(replace(self._translator, lines_before=self.done), self._options)
                finally:
                    self.done += lines.done
                    self.unproven += lines.unproven
                    lines.report.log_warnings()
                    if not is_warned and 2 * lines.with_tabs > lines.done:
                        is_warned = True
                        _logger.warning(
                            f"{name}: {lines.with_tabs} of {lines.done} lines have a TAB, which was translated too: "
                            "`cut -f 1` gives the first column; with --prefix or --require, others are beginnings "
                            "or phrases"
                        )
