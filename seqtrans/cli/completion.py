"""Completion of commands, flags and their values in a shell: `--install-completion`, `--show-completion`.

Typer does the work. Its own two options take no value and guess the shell from the processes above this one, which
fails in a container or under a process manager; these options take the shell's name.
"""

from __future__ import annotations

import os
from typing import Any, Literal

import typer

from seqtrans.errors import UsageError

PROGRAM = "seqtrans"
FLAGS = ("--install-completion", "--show-completion")
Shell = Literal["auto", "bash", "zsh", "fish", "powershell", "pwsh"]

_VARIABLE = "_SEQTRANS_COMPLETE"
"""Set by the script in the shell: this process is to propose words and do nothing else."""


def prepare_completion() -> None:
    """Make the shells known to Typer if a shell wants proposals."""
    if _VARIABLE in os.environ:
        from typer.completion import get_completion_inspect_parameters

        get_completion_inspect_parameters()  # registers the shells; the parameters it returns are not used


def install_completion(ctx: typer.Context, parameter: typer.CallbackParam, shell: str | None) -> None:
    """Write the script of a shell into the user's folder and load it from the shell's start file.

    Raises:
        UsageError: the shell is not known.
        OSError: a file cannot be written.
    """
    from typer.completion import install_callback

    _call(install_callback, ctx, parameter, shell)


def show_completion(ctx: typer.Context, parameter: typer.CallbackParam, shell: str | None) -> None:
    """Print the script of a shell.

    Raises:
        UsageError: the shell is not known.
    """
    from typer.completion import show_callback

    _call(show_callback, ctx, parameter, shell)


def _call(callback: Any, ctx: typer.Context, parameter: typer.CallbackParam, shell: str | None) -> None:
    if shell is not None and not ctx.resilient_parsing:
        callback(ctx, parameter, _current_shell() if shell == "auto" else shell)


def _current_shell() -> str:
    """The shell that started this process."""
    import shellingham  # type: ignore[import-untyped]

    try:
        name, _ = shellingham.detect_shell()
    except (shellingham.ShellDetectionFailure, OSError):
        name = ""
    if name not in ("bash", "zsh", "fish", "powershell", "pwsh"):
        raise UsageError("the shell is not known: name it, as in --install-completion bash")
    return str(name)
