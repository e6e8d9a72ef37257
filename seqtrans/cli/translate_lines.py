"""`seqtrans translate`: what is done with the lines, by a translator or a tagger."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seqtrans.cli.pace import Pace
from seqtrans.cli.texts import STANDARD_INPUT, open_output, tell_of_terminal
from seqtrans.errors import DataError, UsageError
from seqtrans.io.content import is_container, is_empty, is_text

if TYPE_CHECKING:
    from seqtrans.device import Compute
    from seqtrans.inference.stream import ChunkTranslator, StreamOptions
    from seqtrans.inference.translation import Translation
    from seqtrans.model.trained import TrainedModel
    from seqtrans.search.options import SearchOptions
    from seqtrans.search.settings import SettingsSource

    TranslateLines = Callable[[list[str]], list[Translation]]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Places:
    """What is read and written."""

    texts: list[Path]
    output: Path | None
    """None is standard output."""
    report: Path | None
    """The file for the searches' records, if they are wanted."""


def write_translations(
    chunk_translator: ChunkTranslator,
    options: StreamOptions,
    places: Places,
    pace: Pace | None,
    *,
    is_exact: bool,
    takes_columns: bool,
) -> None:
    """Translate the texts, one after the other, and write the translations, and the searches' records to the report.

    Logs the warnings of `Texts`, at the end the proofs of an exact search, and with a `pace` the speed every few
    seconds.

    Raises:
        StreamError: a text cannot be read, or a file cannot be written.
        DataError: a line is too long for a tagger.
    """
    from seqtrans.inference.texts import Texts
    from seqtrans.io.files import atomic_output

    tell_of_terminal(places.texts)
    texts = Texts(places.texts, chunk_translator, options)
    with (
        open_output(places.output) as sink,
        nullcontext() if places.report is None else atomic_output(places.report) as records,
    ):
        try:
            for chunk in texts.translated_chunks(takes_columns=takes_columns):
                if records is not None:
                    records.write(chunk.records)
                sink.write(b"".join(chunk.lines))
                sink.flush()
                if pace is not None and pace.count(len(chunk.lines)):
                    _logger.info(pace.describe())
        finally:
            if pace is not None:
                _logger.info(pace.describe())
            if is_exact:
                proofs = texts.done - texts.unproven
                _logger.info(f"{proofs:,} of {texts.done:,} translations are proven to be the best there is")


def check_report(report: Path | None, output: Path | None, inputs: list[Path]) -> None:
    """Make sure that the report can be written, before models are loaded.

    Raises:
        UsageError: it is standard output, the file for the translations, or one of the inputs.
        StreamError: it cannot be written.
    """
    from seqtrans.io.files import check_output

    if str(report) == "-":
        raise UsageError("--report: standard output has the translations; name a file")
    if report is not None and output is not None and os.path.realpath(report) == os.path.realpath(output):
        raise UsageError(f"--report: {report} is to have the translations; name another file")
    if report is not None:
        check_output(report, inputs)


def models_and_texts(models: Sequence[Path], texts: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The models and texts among the words after --model, which takes several: `-m m.safetensors test.en`.

    The first word is a model. Others that are texts by their content, empty, pipes or `-` follow the `texts`.

    Raises:
        DataError: a further word is a file that is neither.
    """
    found = [path for path in models[1:] if path == STANDARD_INPUT or path.is_fifo() or is_empty(path) or is_text(path)]
    others = [path for path in models[1:] if path not in found]
    for path in others:
        if path.is_file() and not is_container(path):
            raise DataError(
                f"{path}: is not a seqtrans model, or the file was cut short; a text with such bytes stands before -m"
            )
    return [models[0], *others], [*texts, *found]


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
