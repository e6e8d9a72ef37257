"""`seqtrans translate`: what is done with the lines, by a translator or a tagger."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from seqtrans.cli.pace import Pace
from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from seqtrans.device import Compute
    from seqtrans.inference.stream import ChunkTranslator, StreamOptions
    from seqtrans.inference.translation import Translation
    from seqtrans.model.trained import TrainedModel
    from seqtrans.search.options import SearchOptions
    from seqtrans.search.settings import SettingsSource

    TranslateLines = Callable[[list[str]], list[Translation]]

_logger = logging.getLogger(__name__)


def write_translations(
    chunk_translator: ChunkTranslator, options: StreamOptions, report: Path | None, pace: Pace | None, *, is_exact: bool
) -> None:
    """Translate standard input to standard output, and the searches' records to `report`.

    Logs warnings at the end, the proofs of an exact search too, and with a `pace` the speed every few seconds.
    """
    from seqtrans.inference.stream import LineStream
    from seqtrans.io.files import atomic_output
    from seqtrans.io.lines import open_input

    with open_input("-") as (source, name), nullcontext() if report is None else atomic_output(report) as records:
        lines = LineStream(source, name)
        try:
            for chunk in lines.translated_chunks(chunk_translator, options):
                if records is not None:
                    records.write(chunk.records)
                sys.stdout.buffer.write(b"".join(chunk.lines))
                sys.stdout.buffer.flush()
                if pace is not None and pace.count(len(chunk.lines)):
                    _logger.info(pace.describe())
        finally:
            lines.report.log_warnings()
            if pace is not None:
                _logger.info(pace.describe())
            if is_exact:
                proofs = lines.done - lines.unproven
                _logger.info(f"{proofs:,} of {lines.done:,} translations are proven to be the best there is")


def check_report(report: Path | None, inputs: list[Path]) -> None:
    """Make sure that the report can be written, before models are loaded.

    Raises:
        UsageError: it is standard output, or one of the inputs.
        StreamError: it cannot be written.
    """
    from seqtrans.io.files import check_output

    if str(report) == "-":
        raise UsageError("--report: standard output has the translations; name a file")
    if report is not None:
        check_output(report, inputs)


def refuse_search_options(models: int, explicit: list[SettingsSource]) -> None:
    """A tagger does not search: flags of the search are errors. A file's or the environment's settings are ignored.

    Raises:
        UsageError: a setting differs from what a tagger does, or there is more than one model.
    """
    harmless = {"n_best": 1, "alignment": "none"}
    names = [
        f"--set {key}" if source == "--set" else source
        for settings, source in explicit
        for key, value in settings.items()
        if harmless.get(key) != value
    ]
    if models > 1:
        names.append("all models but the first")
    if names:
        raise UsageError(f"a tagger does not search: leave out {', '.join(names)}")


def tagger_function(model: TrainedModel, compute: Compute, batch_size: int) -> TranslateLines:
    """A tagger's function from lines to their tags."""
    from seqtrans.inference.tagging import Tagger

    tagger = Tagger(model, compute)
    return lambda lines: tagger.tag(lines, batch_size)


def translator_function(
    models: list[TrainedModel],
    language_model: TrainedModel | None,
    compute: Compute,
    options: SearchOptions,
    batch_size: int,
) -> TranslateLines:
    """The function from lines to translations of one or several models."""
    from seqtrans.inference.translator import Translator

    return Translator(models, compute, language_model).with_options(options, batch_size).translate
