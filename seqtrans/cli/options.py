"""What several commands share on the command line: headings, options of the machine, the layout of the help."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from seqtrans import plugins

TEXT, MODEL, TRAINING, SEARCH, METRIC = "Text", "Model", "Training", "Search", "Metric"
OUTPUT, MACHINE, OTHER = "Output", "Machine", "Options"
HEADINGS = (TEXT, MODEL, TRAINING, SEARCH, METRIC, OUTPUT, MACHINE, OTHER)
"""The headings of the help, in the order in which every command shows them. An option names its own as
`rich_help_panel`; `--help` itself has none and comes last, under `OTHER`."""

_EXAMPLES = "\n\nExamples:\n"
_UNBROKEN = "\u2011"
"""Stands for a hyphen while lines are wrapped: a name such as `lstm-coupled` is not to be broken."""


def completion(names: Iterable[str] | Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """What a shell proposes as the value of an option: those of `names` that begin like the incomplete word.

    Names that take time to collect are given as a function, which is called when a shell wants them.
    """

    def proposals(incomplete: str) -> list[str]:
        values = names() if callable(names) else names
        return [name for name in values if name.startswith(incomplete)]

    return proposals


def plugin_completion(package: str) -> Callable[[str], list[str]]:
    """The names of a family of plugins, those of other packages included."""
    return completion(lambda: plugins.names(package))


PrecisionOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Arithmetic: auto, fp32 or bf16.",
        rich_help_panel=MACHINE,
        autocompletion=completion(["auto", "fp32", "bf16"]),
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto, cpu or cuda.",
        rich_help_panel=MACHINE,
        autocompletion=completion(["auto", "cpu", "cuda"]),
    ),
]
ThreadsOption = Annotated[
    int, typer.Option(metavar="N", min=0, help="Processor threads; 0 means all.", rich_help_panel=MACHINE)
]


class _WithExamples:
    """Help whose last part, after a line `Examples:`, is a command on each line; it comes last in `--help` too."""

    epilog: str | None

    def __init__(self, **attributes: Any) -> None:
        text, _, examples = (attributes.pop("help", None) or "").partition(_EXAMPLES)
        super().__init__(**attributes | {"help": text, "epilog": examples or None})

    def format_epilog(self, _ctx: Any, formatter: Any) -> None:
        """Write the examples, each on a line of its own."""
        if self.epilog:
            with formatter.section("Examples"):
                formatter.write_text("\b\n" + "\n".join(line.strip() for line in self.epilog.splitlines()))


class CommandGroup(_WithExamples, TyperGroup):
    """A group of commands."""


class GroupedCommand(_WithExamples, TyperCommand):
    """A command whose help is plain text: the purpose, options under their headings, examples."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`[OPTIONS]` and the arguments; those that can be left out are in brackets."""
        arguments = [parameter for parameter in self.get_params(ctx) if parameter.param_type_name == "argument"]
        return [
            "[OPTIONS]",
            *(_name(argument) if argument.required else f"[{_name(argument)}]" for argument in arguments),
        ]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, heading by heading."""
        groups: dict[str, list[tuple[str, str]]] = {heading: [] for heading in HEADINGS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                heading = getattr(parameter, "rich_help_panel", None) or OTHER
                groups[heading].append((_name(parameter), _explanation(record[1])))
        for heading, records in groups.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)
        formatter.buffer = [part.replace(_UNBROKEN, "-") for part in formatter.buffer]


def _name(parameter: Any) -> str:
    """The names of an option and what stands for its value; of an argument, the latter alone."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar)
    names = ", ".join(sorted(parameter.opts, key=len))
    return names if parameter.is_flag else f"{names} {parameter.metavar}"


def _explanation(text: str) -> str:
    """The help of an option as Typer gives it, with its range in words."""
    text = text.replace("; x>=0", "").replace("x>=", "at least ").replace("  [", " [")
    return re.sub(r"(?<=\w)-(?=\w)", _UNBROKEN, text)


class VariadicCommand(GroupedCommand):
    """A command whose list options take several values after one flag: `--train SRC TGT`.

    `--flag A B` becomes `--flag A --flag B`: every word after a list option, up to the next word that begins with
    `-`, is a value of that option (a lone `-` is a value too). Arguments must therefore come before list options.
    """

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Repeat the flag before each further value, then parse."""
        list_flags = {
            name
            for parameter in self.params
            if parameter.param_type_name == "option" and getattr(parameter, "multiple", False)
            for name in parameter.opts
        }
        repeated: list[str] = []
        flag: str | None = None
        needs_value = False
        for word in args:
            if word.startswith("-") and word != "-":
                name = word.partition("=")[0] if word.startswith("--") else word[:2]
                # `--flag=A` and `-fA` have their first value already
                flag, needs_value = (name, name == word) if name in list_flags else (None, False)
                repeated.append(word)
            elif flag is not None and not needs_value:
                repeated += [flag, word]
            else:
                repeated.append(word)
                needs_value = False
        return super().parse_args(ctx, repeated)
