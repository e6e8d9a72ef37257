"""The command line: its commands, and how failures become a line on standard error and an exit code."""

from __future__ import annotations

import errno
import sys
from functools import cache
from typing import Annotated, Any, NoReturn

import typer

from seqtrans.cli import average, generate, inspect, recall, rescore, score, tokenize, train, translate
from seqtrans.cli.completion import (
    FLAGS,
    PROGRAM,
    Shell,
    install_completion,
    prepare_completion,
    show_completion,
)
from seqtrans.cli.messages import show_messages, write_message
from seqtrans.cli.options import CommandGroup, GroupedCommand, VariadicCommand
from seqtrans.cli.signals import ignore_signals, receive_signals
from seqtrans.cli.streams import flush_streams, prepare_streams
from seqtrans.errors import SeqtransError
from seqtrans.version import __version__

_WRITE_ERRORS = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
"""No space for what is written. Without a file's name, such an error is one of standard output."""


class _Program(CommandGroup):
    """The program's commands. Completion flags without a shell detect it: their value is then `auto`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Add the value that is left out."""
        return super().parse_args(ctx, [*args, "auto"] if args and args[-1] in FLAGS else args)


app = typer.Typer(
    name=PROGRAM,
    cls=_Program,
    help="""Train and use recurrent networks that translate, tag or model text.

Commands read and write files or pipes. `seqtrans COMMAND --help` describes a command.

Examples:
  seqtrans train --train train.en train.de --dev dev.en dev.de -o m.safetensors
  seqtrans translate -m m.safetensors < test.en > test.out
  seqtrans score test.out -r test.de""",
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
app.command("rescore", cls=GroupedCommand)(rescore.rescore)
app.command("generate", cls=GroupedCommand)(generate.generate)
app.command("average", cls=GroupedCommand)(average.average)
app.command("inspect", cls=GroupedCommand)(inspect.inspect)
app.command("recall", cls=VariadicCommand)(recall.recall)


@cache
def program() -> Any:
    """The commands and their options, from the functions' signatures."""
    from typer.main import get_command

    return get_command(app)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
    _debug: Annotated[
        bool,
        typer.Option("--debug", help="On failure, show a traceback. Give it first: `seqtrans --debug train ...`."),
    ] = False,
    _install_completion: Annotated[
        Shell | None,
        typer.Option(
            "--install-completion",
            metavar="[SHELL]",
            callback=install_completion,
            is_eager=True,
            help="Install completion for bash, zsh, fish, powershell or pwsh; without a name, for the current shell.",
        ),
    ] = None,
    _show_completion: Annotated[
        Shell | None,
        typer.Option(
            "--show-completion",
            metavar="[SHELL]",
            callback=show_completion,
            is_eager=True,
            help="Print the script that --install-completion installs.",
        ),
    ] = None,
) -> None:
    """Declare the options before the command. Each is handled in its callback, `--debug` in `main`."""


def _exit(code: int, message: str = "") -> NoReturn:
    """Exit, after one line on standard error if there is a message."""
    if message:
        write_message(message)
    if not flush_streams():
        code = code or 74
    ignore_signals()
    sys.exit(code)


def _run() -> None:
    """Run the command line. Usage errors exit here; other failures are raised, for `main`."""
    prepare_completion()
    try:
        result = program()(prog_name=PROGRAM, standalone_mode=False)
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # Typer has turned it into exit code 1
            raise stop.__context__ from None
        raise
    except Exception as error:
        # The class of Typer's usage errors is not public; their interface is.
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            if type(error).__name__ == "NoArgsIsHelpError":
                print(error.format_message(), file=sys.stderr)
                _exit(error.exit_code)
            context = getattr(error, "ctx", None)
            hint = f" (see '{context.command_path} --help')" if context is not None else ""
            text = error.format_message().replace("Value error, ", "").rstrip(".")
            _exit(error.exit_code, f"{text}{hint}" if text else "")
        raise
    if isinstance(result, int) and result:  # typer.Exit(code)
        _exit(result)


def main() -> NoReturn:
    """Run a command and exit. Every failure becomes one line on standard error and the exit code of its kind."""
    ending = receive_signals()
    prepare_streams()
    show_messages()
    try:
        try:
            ending.is_awaited = True
            _run()
        finally:
            ending.is_awaited = False
    except SystemExit as stop:
        _exit(stop.code if isinstance(stop.code, int) else 1)
    except KeyboardInterrupt:
        _exit(130)
    except Exception as error:
        if ending.code():  # what fails because it was interrupted is no failure
            _exit(ending.code())
        _fail(error)
    _exit(0)


def _fail(error: Exception) -> NoReturn:
    """Exit with one line on standard error and the exit code of this kind of failure; with `--debug`, raise it."""
    if isinstance(error, BrokenPipeError):
        _exit(141)
    if "--debug" in sys.argv[1:2]:
        raise error
    if isinstance(error, SeqtransError):
        _exit(error.exit_code, str(error))
    if isinstance(error, OSError):
        place = error.filename or ("standard output" if error.errno in _WRITE_ERRORS else "")
        _exit(74, f"{place}{place and ': '}{error.strerror or error}")
    text = " ".join(str(error).split())
    _exit(1, f"{type(error).__name__}: {text:.300}; `seqtrans --debug ...` shows where")
