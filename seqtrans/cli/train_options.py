"""The arguments and options of `seqtrans train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqtrans import plugins
from seqtrans.cli.options import (
    MODEL,
    OUTPUT,
    TEXT,
    TRAINING,
    completion,
    plugin_completion,
)
from seqtrans.config.tasks import TASKS

_CELLS = plugins.builtin_names("seqtrans.recurrent.cells")
_ATTENTIONS = plugins.builtin_names("seqtrans.model.attention")


def _presets() -> list[str]:
    from seqtrans.config.resolution import preset_names

    return preset_names()


TrainOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE...",
        help="Training text: source and target file, or one file with lines of SOURCE TAB TARGET; for a language "
        "model, one or more texts.",
        rich_help_panel=TEXT,
    ),
]
DevOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE...", help="Development text for validation, in the same form.", rich_help_panel=TEXT),
]
DevSizeOption = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Instead of --dev: split N pairs, or a share such as 5%, off the training text at random.",
        rich_help_panel=TEXT,
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="MODEL", help="The model file to write.", rich_help_panel=OUTPUT),
]
SubwordsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Subword model for both sides, or a trained model whose subwords are used. By default, subwords are "
        "learned from the training text.",
        rich_help_panel=TEXT,
    ),
]
SourceSubwordsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Subword model of the source side.", rich_help_panel=TEXT)
]
TargetSubwordsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Subword model of the target side.", rich_help_panel=TEXT)
]
TaskOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="translate (the default); tag: one tag on the target side for each token on the source side; lm: a "
        "language model of text in one language.",
        rich_help_panel=MODEL,
        autocompletion=completion(TASKS),
    ),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Settings to start from: base (sentences), bideep (sentences; more text, slower), character (single "
        "words, by letters), demo (small), lm and tag (for these tasks). [default: base, lm or tag, by task]",
        rich_help_panel=MODEL,
        autocompletion=completion(_presets),
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="TOML file with settings, which override the preset's; GUIDE.md lists them.",
        rich_help_panel=MODEL,
    ),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE...",
        help="Any setting of the TOML file, such as batch_size=32, which overrides it.",
        rich_help_panel=MODEL,
    ),
]
CellOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"Recurrent cell: {', '.join(_CELLS)}; some take options, as in rnn+relu. Or one of your own, as "
        "FILE.py:CLASS.",
        rich_help_panel=MODEL,
        autocompletion=plugin_completion("seqtrans.recurrent.cells"),
    ),
]
AttentionOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"Attention: {', '.join(_ATTENTIONS)}.",
        rich_help_panel=MODEL,
        autocompletion=plugin_completion("seqtrans.model.attention"),
    ),
]
MaxStepsOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Stop after N updates. This and --max-time replace the configured limits of steps, epochs and time.",
        rich_help_panel=TRAINING,
    ),
]
MaxTimeOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Stop after this time, such as 90s, 45m or 1h30m. Time before --resume counts.",
        rich_help_panel=TRAINING,
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(metavar="N", help="Random seed of the whole training. [default: 1]", rich_help_panel=TRAINING),
]
ResumeOption = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Continue from the last checkpoint, if there is one. With a limit of steps or epochs, the model is "
        "the same, byte by byte, as without the interruption.",
        rich_help_panel=TRAINING,
    ),
]
ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Resume even if the training text has changed.", rich_help_panel=TRAINING),
]
OverwriteOption = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace MODEL and its checkpoints, if there are any. With --resume, only if they cannot be continued.",
        rich_help_panel=TRAINING,
    ),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show warnings only.", rich_help_panel=OUTPUT)]
