"""The command line itself: its commands, and what every failure looks like from outside."""

from __future__ import annotations

import errno
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from seqtrans import __version__
from seqtrans.cli import average, generate, inspect, recall, rescore, score, tokenize, train, translate
from seqtrans.cli.options import VariadicCommand
from seqtrans.cli.streams import flush_streams, prepare_streams
from seqtrans.errors import SeqtransError

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
"""Errors of writing; where no file has a name that is to standard output."""

app = typer.Typer(
    name="seqtrans",
    help="Turn texts into translators, taggers and language models with recurrent networks. Stages read and write "
    "files or pipes.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(tokenize.app, name="tokenize")
app.command("train", cls=VariadicCommand)(train.train)
app.command("translate", cls=VariadicCommand)(translate.translate)
app.command("score", cls=VariadicCommand)(score.score)
app.command("rescore")(rescore.rescore)
app.command("generate")(generate.generate)
app.command("average")(average.average)
app.command("inspect")(inspect.inspect)
app.command("recall", cls=VariadicCommand)(recall.recall)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seqtrans {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
    _debug: Annotated[
        bool, typer.Option("--debug", help="Show a traceback instead of one line when something fails.")
    ] = False,
) -> None:
    """Options of every command."""


def _terminate(signal_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signal_number)


def _leave(code: int, message: str = "") -> NoReturn:
    """Exit with one line on stderr."""
    if message:
        print(f"seqtrans: {message}", file=sys.stderr)
    if not flush_streams():
        code = code or 74
    sys.exit(code)


def _run() -> None:
    """Run the command line; failures leave as exceptions that `main` turns into exit codes."""
    try:
        result = app(standalone_mode=False)
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # Typer turns it into exit code 1
            raise stop.__context__ from None
        raise
    except Exception as error:
        # Usage errors of Typer's own parser; their class is not public, their interface is.
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            if type(error).__name__ == "NoArgsIsHelpError":
                print(error.format_message(), file=sys.stderr)
                _leave(error.exit_code)
            context = getattr(error, "ctx", None)
            hint = f" (see '{context.command_path} --help')" if context is not None else ""
            text = error.format_message().rstrip(".")
            _leave(error.exit_code, f"{text}{hint}" if text else "")
        raise
    if isinstance(result, int) and result:  # typer.Exit(code)
        _leave(result)


def main() -> NoReturn:
    """Run a command; every failure becomes one line on stderr and the exit code of its kind."""
    prepare_streams()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        _run()
    except SystemExit as stop:
        _leave(stop.code if isinstance(stop.code, int) else 1)
    except KeyboardInterrupt:
        _leave(130)
    except BrokenPipeError:
        _leave(141)
    except (SeqtransError, OSError) as error:
        if "--debug" in sys.argv[1:2]:
            raise
        if isinstance(error, SeqtransError):
            _leave(error.exit_code, str(error))
        place = error.filename or ("standard output" if error.errno in _FULL else "")
        _leave(74, f"{place}{place and ': '}{error.strerror or error}")
    except Exception as error:
        if "--debug" in sys.argv[1:2]:
            raise
        text = " ".join(str(error).split())
        _leave(1, f"{type(error).__name__}: {text:.300}; `seqtrans --debug ...` shows where")
    _leave(0)
