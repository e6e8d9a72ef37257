"""The texts that a filter reads, one after the other, and where it writes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from seqtrans.cli.options import OUTPUT, TEXT
from seqtrans.errors import UsageError

_logger = logging.getLogger(__name__)

STANDARD_INPUT = Path("-")

FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="FILE...",
        help="Texts, read one after the other; - or nothing is standard input.",
        rich_help_panel=TEXT,
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write to FILE, which appears whole or not at all, instead of to standard output.",
        rich_help_panel=OUTPUT,
    ),
]


def check_texts(files: Sequence[Path] | None, output: Path | None, others: Iterable[Path] = ()) -> list[Path]:
    """The texts to read, standard input if there are none, after a check of them and of the output.

    `others` are read too, such as models.

    Raises:
        UsageError: standard input is named twice, or the output is read too.
        DataError: a text is a model.
        StreamError: a text cannot be read, or the output cannot be written.
    """
    from seqtrans.io.content import check_text
    from seqtrans.io.files import check_output

    texts = list(files or [STANDARD_INPUT])
    if texts.count(STANDARD_INPUT) > 1:
        raise UsageError("'-' names standard input, which can be read only once")
    for text in texts:
        if text != STANDARD_INPUT:
            check_text(text)
    if output is not None and str(output) != "-":
        read = [Path("/dev/stdin") if text == STANDARD_INPUT else text for text in texts]
        check_output(output, [*read, *others])
    return texts


@contextmanager
def open_output(output: Path | None) -> Iterator[BinaryIO]:
    """The stream that a filter writes to: standard output, or a file that appears at the end of the block.

    Raises:
        StreamError: the file cannot be written.
    """
    from seqtrans.io.files import atomic_output

    if output is None or str(output) == "-":
        yield sys.stdout.buffer
        return
    with atomic_output(output) as stream:
        yield stream


def tell_of_terminal(texts: Sequence[Path]) -> None:
    """Say on standard error that a command waits for what is typed, if it does."""
    if STANDARD_INPUT in texts and sys.stdin is not None and sys.stdin.isatty():
        _logger.info("reads standard input, line by line; Ctrl-D ends it")
