"""`seqtrans tokenize`: learn a subword model; encode and decode lines with a subword model."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seqtrans.cli.options import MODEL, OUTPUT, TEXT, CommandGroup, GroupedCommand
from seqtrans.errors import UsageError

if TYPE_CHECKING:
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
    model = learn_subwords(
        _lines_of(files or [Path("-")]),
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
def encode(model: ModelOption, side: SideOption = None) -> None:
    """Segment lines of text into subwords.

    Reads standard input. Writes one line for each line, with spaces between subwords.

    Examples:
      seqtrans tokenize encode -m en.model < test.en > test.subwords
    """
    _filter(model, side, lambda subwords, lines: [" ".join(pieces) for pieces in subwords.encode_pieces_batch(lines)])


@app.command(cls=GroupedCommand)
def decode(model: ModelOption, side: SideOption = None) -> None:
    """Join the subwords of each line to text.

    Reads standard input. Writes one line for each line.

    Examples:
      seqtrans tokenize decode -m en.model < test.subwords > test.en
    """
    _filter(model, side, lambda subwords, lines: [subwords.decode_pieces(line.split(" ")) for line in lines])


def _filter(
    path: Path, side: Literal["source", "target"] | None, convert: Callable[[SubwordModel, list[str]], list[str]]
) -> None:
    """Write standard input, converted, to standard output.

    Raises:
        UsageError: a side is named for a subword model.
        DataError: the file is no subword model and no trained model.
        StreamError: the file cannot be read.
    """
    from seqtrans.api import tokenizer
    from seqtrans.io.filters import filter_lines

    if side is not None and path.suffix != ".safetensors":
        raise UsageError(f"{path}: a subword model has no sides: leave out --side")
    subwords = tokenizer(path, side or "target")
    filter_lines(sys.stdout.buffer, lambda lines: convert(subwords, lines))


def _lines_of(paths: Iterable[Path]) -> Iterator[str]:
    """All lines of several files.

    Raises:
        DataError: a line is not UTF-8; the model would learn the damaged characters.
        StreamError: a file cannot be read.
    """
    from seqtrans.io.lines import LineReport, open_input, read_lines

    for path in paths:
        with open_input(path) as (stream, name):
            report = LineReport(name)
            yield from read_lines(stream, report, strict=True)
            report.log_warnings()
