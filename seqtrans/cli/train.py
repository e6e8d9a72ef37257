"""`seqtrans train`: from text files to a model file."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqtrans.cli.messages import Update, live_line, show_warnings_only
from seqtrans.cli.options import (
    DeviceOption,
    PrecisionOption,
    ThreadsOption,
)
from seqtrans.cli.train_options import (
    AttentionOption,
    CellOption,
    ConfigOption,
    DevOption,
    DevSizeOption,
    ForceOption,
    MaxStepsOption,
    MaxTimeOption,
    OutputOption,
    OverwriteOption,
    PresetOption,
    QuietOption,
    ResumeOption,
    SeedOption,
    SettingsOption,
    SourceSubwordsOption,
    SubwordsOption,
    TargetSubwordsOption,
    TaskOption,
    TrainOption,
)
from seqtrans.config.tasks import TASKS
from seqtrans.errors import SeqtransError, UsageError

if TYPE_CHECKING:
    from seqtrans.training.job import TrainingResult
    from seqtrans.training.progress import Progress

_logger = logging.getLogger(__name__)

_LIVE_SECONDS = 0.5
"""Between two updates of the live line."""
_NUMBER = r"\d+(?:\.\d+)?"


def train(
    train: TrainOption = None,
    dev: DevOption = None,
    output: OutputOption = None,
    dev_size: DevSizeOption = None,
    subwords: SubwordsOption = None,
    source_subwords: SourceSubwordsOption = None,
    target_subwords: TargetSubwordsOption = None,
    task: TaskOption = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    set_: SettingsOption = None,
    cell: CellOption = None,
    attention: AttentionOption = None,
    max_steps: MaxStepsOption = None,
    max_time: MaxTimeOption = None,
    seed: SeedOption = None,
    resume: ResumeOption = False,
    force: ForceOption = False,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Train a translator, a tagger or a language model.

    Translators and taggers learn from parallel text, language models from text in one language.

    Writes the best model so far to MODEL. Writes a log (.log.jsonl) and the checkpoints for --resume (.state/) beside
    it.

    Examples:
      seqtrans train --train train.en train.de --dev dev.en dev.de -o m.safetensors
      seqtrans train --task lm --train train.txt --dev dev.txt -o lm.safetensors
    """
    from seqtrans import api
    from seqtrans.config.resolution import sectioned

    if train is None or output is None or (dev is None and dev_size is None):
        raise UsageError(_missing(train, dev, dev_size, output))
    settings = sectioned(set_ or [])
    training = settings.setdefault("training", {})
    if max_steps is not None or max_time is not None:
        # limits on the command line replace all configured limits
        max_minutes = 0.0 if max_time is None else minutes_of(max_time)
        training |= {"max_steps": max_steps or 0, "max_minutes": max_minutes, "max_epochs": 0}
    flags: dict[str, dict[str, Any]] = {
        "training": {"seed": seed},
        "model": {"cell": cell, "attention": attention},
        "text": {"dev_size": None if dev_size is None else pairs_or_share(dev_size)},
    }
    for section, keys in flags.items():
        settings.setdefault(section, {}).update({key: value for key, value in keys.items() if value is not None})
    if quiet:
        show_warnings_only()
    with live_line(not quiet) as update:
        result = api.train(
            train, dev or [], output, task=task, preset=preset, config=config, settings=settings, subwords=subwords,
            source_subwords=source_subwords, target_subwords=target_subwords, resume=resume, force=force,
            overwrite=overwrite, device=device, precision=precision, threads=threads, progress=_progress(update),
        )  # fmt: skip
    if result.model is None:
        raise SeqtransError("no validation gave a finite number: no model was kept; try a lower learning_rate")
    _describe(result)


def _missing(train: list[Path] | None, dev: list[Path] | None, dev_size: str | None, output: Path | None) -> str:
    """All flags that a training lacks, in one message."""
    flags = {
        "--train FILE...": train is None,
        "--dev FILE... (or --dev-size N)": dev is None and dev_size is None,
        "-o MODEL": output is None,
    }
    return f"missing: {', '.join(flag for flag, is_missing in flags.items() if is_missing)}"


def _progress(update: Update | None) -> Progress:
    """Progress in the live line of the terminal, or as messages if there is no such line."""
    from seqtrans.training.progress import Progress

    return Progress() if update is None else Progress(update, _LIVE_SECONDS)


def _describe(result: TrainingResult) -> None:
    """Log where the best model is, its score, the command that uses it, and how to continue if that would help."""
    from seqtrans.recurrent.cells import is_custom
    from seqtrans.scoring.registry import formatted_score

    assert result.score is not None
    model = result.config.model
    task = TASKS[model.task]
    search = " (greedy)" if model.task == "translate" else ""
    score = f"{result.score:.3f}" if result.metric == "loss" else formatted_score(result.metric, result.score) + search
    _logger.info(
        f"{result.model}: kept from step {result.best_step:,} of {result.steps:,}, dev {result.metric} "
        f"{score}, after {result.seconds / 60:.1f} minutes"
    )
    if result.best_step == result.steps and not result.is_out_of_patience:
        _logger.info("it was still improving at the end: the same command with --resume and a larger limit continues")
    cell = f" --cell {model.cell}" if is_custom(model.cell) else ""
    _logger.info(f"{task.verb} with: seqtrans {task.commands[0]} {result.model}{cell} < TEXT")
    for command in task.commands[1:]:
        _logger.info(f"or: seqtrans {command} {result.model}{cell}")


def minutes_of(text: str) -> float:
    """Minutes of a time such as '90s', '45m', '2h' or '1h30m'.

    Raises:
        UsageError: it is not such a time, or zero.
    """
    match = re.fullmatch(rf"(?:({_NUMBER})h)?(?:({_NUMBER})m)?(?:({_NUMBER})s)?", text)
    hours, minutes, seconds = map(float, match.groups("0")) if match else (0, 0, 0)
    time = 60 * hours + minutes + seconds / 60
    if not time:
        raise UsageError(f"--max-time must be a time such as 90s, 45m, 2h or 1h30m, not '{text}'")
    return time


def pairs_or_share(text: str) -> float:
    """A number of pairs such as '500', or a share of them such as '5%'.

    Raises:
        UsageError: it is neither.
    """
    match = re.fullmatch(rf"(\d+)|({_NUMBER})%", text)
    size = 0.0 if match is None else float(match[1]) if match[1] else float(match[2]) / 100
    if not size or (match is not None and match[2] and size >= 1):
        raise UsageError(f"--dev-size must be a number of pairs such as 500, or a share such as 5%, not '{text}'")
    return size
