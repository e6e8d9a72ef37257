"""`seqtrans tokenize`: learn a subword model; encode and decode lines with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seqtrans.cli.models import CellOption, load
from seqtrans.cli.streams import say
from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from seqtrans.text.subwords import SubwordModel

app = typer.Typer(
    help="Learn subwords from text; encode and decode lines.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


# The same as in seqtrans.text, which is too heavy to import here; a test compares them.
Type = Literal["bpe", "unigram", "char", "word"]
Normalization = Literal["identity", "nfkc"]
Model = Annotated[Path, typer.Option("-m", "--model", metavar="MODEL", help="The subword model, or a translator's.")]
SideOption = Annotated[
    Literal["source", "target"] | None,
    typer.Option("--side", help="Of a translator: whose subwords; else of its target."),
]


@app.command()
def learn(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="MODEL", help="Where the model goes; - is stdout.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Text, a sentence a line; - or nothing is stdin."),
    ] = None,
    subword_type: Annotated[Type, typer.Option("--type", help="The kind of segmentation.")] = "bpe",
    vocab_size: Annotated[
        int, typer.Option("--vocab-size", metavar="N", help="Number of subwords, 4 special ones included.")
    ] = 4000,
    normalization: Annotated[
        Normalization,
        typer.Option("--normalization", help="identity keeps characters as they are; nfkc unites variants."),
    ] = "identity",
    byte_fallback: Annotated[
        bool, typer.Option("--byte-fallback", help="Spell unknown characters in bytes (bpe and unigram).")
    ] = False,
) -> None:
    """Learn a subword model from text, one sentence a line. Several files make a joint model."""
    from seqtrans.text.files import atomic_output, check_output
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
        report=say,
    )
    if to_stdout:
        sys.stdout.buffer.write(model.proto)
        sys.stdout.buffer.flush()
        return
    with atomic_output(output) as stream:
        stream.write(model.proto)
    say(f"{output}: {model.type}, {model.size} subwords")


@app.command()
def encode(model: Model, side: SideOption = None, cell: CellOption = None) -> None:
    """Segment the lines of stdin: subwords with spaces between them, a line for a line."""
    _filter(
        model, side, cell, lambda subwords, lines: [" ".join(pieces) for pieces in subwords.encode_pieces_batch(lines)]
    )


@app.command()
def decode(model: Model, side: SideOption = None, cell: CellOption = None) -> None:
    """Join the subwords of each line of stdin to text again."""
    _filter(model, side, cell, lambda subwords, lines: [subwords.decode_pieces(line.split(" ")) for line in lines])


def _filter(
    path: Path, side: str | None, cell: str | None, convert: Callable[[SubwordModel, list[str]], list[str]]
) -> None:
    from seqtrans.text.filters import filter_lines

    subwords = _subwords(path, side, cell)
    filter_lines(sys.stdout.buffer, lambda lines: convert(subwords, lines), warn=say)


def _subwords(path: Path, side: str | None, cell: str | None) -> SubwordModel:
    from seqtrans.text.subwords import SubwordModel

    if path.suffix == ".safetensors":
        model = load(path, cell)
        return model.source_subwords if side == "source" else model.target_subwords
    if side is not None or cell is not None:
        raise UsageError(f"{path}: a subword model has no sides and no cells: leave out --side and --cell")
    return SubwordModel.load(path)


def _lines_of(paths: Iterable[Path]) -> Iterator[str]:
    """All lines of several files; text that is not UTF-8 stops here, or the model would learn the damage."""
    from seqtrans.text.lines import LineReport, open_input, read_lines

    for path in paths:
        with open_input(path) as (stream, name):
            report = LineReport(name)
            yield from read_lines(stream, report, strict=True)
            for warning in report.warnings():
                say(warning)
