"""`seqtrans train`: a text in, a model file out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from seqtrans import plugins
from seqtrans.cli.options import DeviceOption, PrecisionOption, ThreadsOption
from seqtrans.errors import UsageError
from seqtrans.tasks import TASKS

_CELLS = ", ".join(plugins.names("seqtrans.recurrent.cells"))
_ATTENTIONS = ", ".join(plugins.names("seqtrans.model.attention"))
_UNITS = {"": 1.0, "s": 1 / 60, "m": 1.0, "h": 60.0}


def train(
    train: Annotated[
        list[Path],
        typer.Option(help="Source and target file, or one of `source TAB target` lines; of a language model, texts."),
    ],
    dev: Annotated[list[Path], typer.Option(help="The same for validation.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model file to write.")],
    subwords: Annotated[
        Path | None,
        typer.Option(
            help="Subword model for both sides, or a model of seqtrans, whose subwords are used; without any, "
            "subwords are learned from the text."
        ),
    ] = None,
    source_subwords: Annotated[Path | None, typer.Option(help="Subword model of the source side.")] = None,
    target_subwords: Annotated[Path | None, typer.Option(help="Subword model of the target side.")] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="translate (the default); tag: a tag for each token, as many on the target side as on the source; "
            "or lm: a language model, of files that hold text in one language."
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Settings to begin from: base (sentences), bideep (with more text), character (words), demo; lm and "
            "tag for these tasks."
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings over the preset's.")] = None,
    cell: Annotated[
        str | None, typer.Option(help=f"Recurrent cell: {_CELLS}, some with options (rnn+relu); or FILE.py:CLASS.")
    ] = None,
    attention: Annotated[str | None, typer.Option(help=f"Attention: {_ATTENTIONS}.")] = None,
    max_steps: Annotated[
        int | None, typer.Option(help="Stop after so many updates, in place of the configured limits.")
    ] = None,
    max_time: Annotated[
        str | None, typer.Option(help="Stop after this time, as 90s, 45m or 2h, in place of the configured limits.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Where all randomness comes from.")] = None,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on from the last checkpoint, if there is one. With a limit of steps or epochs, the result is the "
            "same, to the byte.",
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Resume even where the corpus has changed.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show warnings only.")] = False,
) -> None:
    """Train a translator, a tagger or a language model.

    The first two learn from a parallel text, the last from a text. Settings beyond these options stand in a TOML
    file. Writes the best model so far to OUTPUT, a log beside it (.log.jsonl), and what --resume needs (.state/).
    """
    from seqtrans.config import load_config
    from seqtrans.device import choose_compute
    from seqtrans.training.job import TrainingJob, run_job
    from seqtrans.training.preparation import SubwordFiles
    from seqtrans.training.progress import Progress

    training: dict[str, Any] = {} if seed is None else {"seed": seed}
    if max_steps is not None or max_time is not None:
        # a budget on the command line is the whole budget
        training |= {
            "max_steps": max_steps or 0,
            "max_minutes": _minutes(max_time) if max_time else 0.0,
            "max_epochs": 0,
        }
    if preset is None:
        preset = TASKS[task].preset if task in TASKS else "base"
    chosen = {"task": task, "cell": cell, "attention": attention}
    flags = {"model": {key: name for key, name in chosen.items() if name is not None}, "training": training}
    job = TrainingJob(
        train, dev, output, SubwordFiles(subwords, source_subwords, target_subwords),
        load_config(preset, config, flags), resume, force,
    )  # fmt: skip
    compute = choose_compute(device, precision, threads)
    with Progress(quiet) as progress:
        run_job(job, compute, progress)


def _minutes(text: str) -> float:
    """'90s', '45m' or '2h'."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if match is None or not float(match[1]):
        raise UsageError(f"--max-time must be a time such as 90s, 45m or 2h, not '{text}'")
    return float(match[1]) * _UNITS[match[2]]
