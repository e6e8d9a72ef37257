"""`seqtrans tokenize`: learn a subword model; encode and decode lines with a subword model."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seqtrans.cli.options import MODEL, OUTPUT, TEXT, CommandGroup, GroupedCommand
from seqtrans.cli.texts import STANDARD_INPUT, FilesArgument, OutputOption, check_texts, open_output, tell_of_terminal
from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from seqtrans.io.line_report import LineReport
    from seqtrans.text.subwords import SubwordModel

app = typer.Typer(
    cls=CommandGroup,
    help="Learn subwords from text; encode and decode lines.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_logger = logging.getLogger(__name__)


# Copies of types in seqtrans.text, which takes long to import; a test compares them.
Type = Literal["bpe", "unigram", "char", "word"]
Normalization = Literal["identity", "nfkc"]
ModelOption = Annotated[
    Path,
    typer.Option(
        "-m",
        "--model",
        metavar="MODEL",
        help="A subword model, or a trained model that has subwords.",
        rich_help_panel=MODEL,
    ),
]
SideOption = Annotated[
    Literal["source", "target"] | None,
    typer.Option(
        "--side",
        metavar="NAME",
        help="Subwords of a trained model's source or target side. [default: target]",
        rich_help_panel=MODEL,
    ),
]


@app.command(cls=GroupedCommand)
def learn(
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The subword model to write; - is standard output.",
            rich_help_panel=OUTPUT,
        ),
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="TEXT...",
            help="Text, one sentence on each line; - or nothing is standard input.",
            rich_help_panel=TEXT,
        ),
    ] = None,
    subword_type: Annotated[
        Type,
        typer.Option("--type", metavar="NAME", help="bpe, unigram, char or word.", rich_help_panel=MODEL),
    ] = "bpe",
    vocab_size: Annotated[
        int,
        typer.Option(
            "--vocab-size",
            metavar="N",
            help="Number of subwords, including 4 special ones.",
            rich_help_panel=MODEL,
        ),
    ] = 4000,
    normalization: Annotated[
        Normalization,
        typer.Option(
            "--normalization",
            metavar="NAME",
            help="identity keeps characters as they are; nfkc maps variants of a character to one.",
            rich_help_panel=MODEL,
        ),
    ] = "identity",
    byte_fallback: Annotated[
        bool,
        typer.Option(
            "--byte-fallback", help="Split unknown characters into bytes (bpe and unigram).", rich_help_panel=MODEL
        ),
    ] = False,
) -> None:
    """Learn a subword model from text.

    Several files give one model for all of them, such as a joint model of source and target.

    Examples:
      seqtrans tokenize learn train.en train.de -o joint.model
      seqtrans tokenize learn --vocab-size 8000 -o en.model < train.en
    """
    from seqtrans.io.files import atomic_output, check_output
    from seqtrans.text.subword_training import learn_subwords

    to_stdout = str(output) == "-"
    if not to_stdout:
        check_output(output, files or [])
    tell_of_terminal(files or [STANDARD_INPUT])
    model = learn_subwords(
        _lines_of(files or [STANDARD_INPUT]),
        subword_type,
        vocab_size,
        normalization=normalization,
        byte_fallback=byte_fallback,
    )
    if to_stdout:
        sys.stdout.buffer.write(model.proto)
        sys.stdout.buffer.flush()
        return
    with atomic_output(output) as stream:
        stream.write(model.proto)
    _logger.info(f"{output}: {model.type}, {model.size} subwords")


@app.command(cls=GroupedCommand)
def encode(
    model: ModelOption, files: FilesArgument = None, side: SideOption = None, output: OutputOption = None
) -> None:
    """Segment lines of text into subwords.

    Writes one line for each line, with spaces between subwords.

    Examples:
      seqtrans tokenize encode -m en.model < test.en > test.subwords
      seqtrans tokenize encode -m en.model test.en dev.en -o both.subwords
    """

    def count(subwords: SubwordModel, report: LineReport, first: int, segmented: list[str]) -> None:
        from seqtrans.text.unknown import unknown_text

        for number, pieces in enumerate(segmented, first):
            if pieces:
                report.unknown.add_unknown(number, unknown_text(subwords, pieces.split(" ")))

    _filter(
        model,
        side,
        lambda subwords, lines: [" ".join(pieces) for pieces in subwords.encode_pieces_batch(lines)],
        files,
        output,
        count,
    )


@app.command(cls=GroupedCommand)
def decode(
    model: ModelOption, files: FilesArgument = None, side: SideOption = None, output: OutputOption = None
) -> None:
    """Join the subwords of each line to text.

    Writes one line for each line.

    Examples:
      seqtrans tokenize decode -m en.model < test.subwords > test.en
    """
    _filter(
        model,
        side,
        lambda subwords, lines: [subwords.decode_pieces(line.split(" ")) for line in lines],
        files,
        output,
    )


def _filter(
    path: Path,
    side: Literal["source", "target"] | None,
    convert: Callable[[SubwordModel, list[str]], list[str]],
    files: list[Path] | None,
    output: Path | None,
    count: Callable[[SubwordModel, LineReport, int, list[str]], None] | None = None,
) -> None:
    """Write texts, converted, to the output. `count` is that of `filter_lines`.

    Raises:
        UsageError: a side is named for a subword model, or the output is read too.
        DataError: the file is no subword model and no trained model, or a text is one.
        StreamError: a file cannot be read or written.
    """
    from seqtrans.api import tokenizers
    from seqtrans.io.content import check_model, is_container
    from seqtrans.io.filters import filter_lines

    check_model(path, "a subword model or a trained model")
    if side is not None and not is_container(path):
        raise UsageError(f"{path}: a subword model has no sides: leave out --side")
    texts = check_texts(files, output, [path])
    source, target = tokenizers(path)
    subwords = source if side == "source" else target
    if side is None and source.digest != target.digest:
        _logger.info(f"{path}: the subwords of its target side; those of its source side: --side source")
    tell_of_terminal(texts)
    with open_output(output) as sink:
        filter_lines(
            sink,
            lambda lines: convert(subwords, lines),
            texts,
            count=None if count is None else partial(count, subwords),
        )


def _lines_of(paths: Iterable[Path]) -> Iterator[str]:
    """All lines of several files.

    Raises:
        DataError: a line is not UTF-8, and the model would learn the damaged characters; or a file is a model.
        StreamError: a file cannot be read.
    """
    from seqtrans.io.line_report import LineReport
    from seqtrans.io.lines import open_input, read_lines

    for path in paths:
        with open_input(path) as (stream, name):
            report = LineReport(name)
            yield from read_lines(stream, report, strict=True)
            report.log_warnings()
