"""What several commands share on the command line."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperCommand

PrecisionOption = Annotated[str, typer.Option(help="auto, fp32 or bf16.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
ThreadsOption = Annotated[int, typer.Option(min=0, help="Processor threads; 0: all.")]


class VariadicCommand(TyperCommand):
    """A command whose list options take several values after one flag: `--train SRC TGT`.

    `--flag A B` becomes `--flag A --flag B`: each word that follows a list option, up to the next word that
    begins with `-` (a lone `-` is a value), belongs to it. Arguments therefore come before such options.
    """

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Spread the values of list options before the parser sees them."""
        many = {
            name
            for parameter in self.params
            if parameter.param_type_name == "option" and getattr(parameter, "multiple", False)
            for name in parameter.opts
        }
        spread: list[str] = []
        flag: str | None = None
        fresh = False
        for word in args:
            if word.startswith("-") and word != "-":
                name = word.partition("=")[0] if word.startswith("--") else word[:2]
                flag, fresh = (name, name == word) if name in many else (None, False)  # else its value stands with it
                spread.append(word)
            elif flag is not None and not fresh:
                spread += [flag, word]
            else:
                spread.append(word)
                fresh = False
        return super().parse_args(ctx, spread)
