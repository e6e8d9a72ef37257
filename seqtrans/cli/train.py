"""`seqtrans train`: from text files to a model file."""

from __future__ import annotations

import logging
import re
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
    ForceOption,
    MaxStepsOption,
    MaxTimeOption,
    OutputOption,
    PresetOption,
    QuietOption,
    ResumeOption,
    SeedOption,
    SourceSubwordsOption,
    SubwordsOption,
    TargetSubwordsOption,
    TaskOption,
    TrainOption,
)
from seqtrans.config.tasks import TASKS
from seqtrans.errors import UsageError

if TYPE_CHECKING:
    from seqtrans.training.job import TrainingResult
    from seqtrans.training.progress import Progress

_logger = logging.getLogger(__name__)

_LIVE_SECONDS = 0.5
"""Between two updates of the live line."""
_UNIT_MINUTES = {"s": 1 / 60, "m": 1.0, "h": 60.0}


def train(
    train: TrainOption,
    dev: DevOption,
    output: OutputOption,
    subwords: SubwordsOption = None,
    source_subwords: SourceSubwordsOption = None,
    target_subwords: TargetSubwordsOption = None,
    task: TaskOption = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    cell: CellOption = None,
    attention: AttentionOption = None,
    max_steps: MaxStepsOption = None,
    max_time: MaxTimeOption = None,
    seed: SeedOption = None,
    resume: ResumeOption = False,
    force: ForceOption = False,
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

    training: dict[str, Any] = {} if seed is None else {"seed": seed}
    if max_steps is not None or max_time is not None:
        # limits on the command line replace all configured limits
        training |= {
            "max_steps": max_steps or 0,
            "max_minutes": _minutes(max_time) if max_time else 0.0,
            "max_epochs": 0,
        }
    model = {key: name for key, name in {"cell": cell, "attention": attention}.items() if name is not None}
    if quiet:
        show_warnings_only()
    with live_line(not quiet) as update:
        result = api.train(
            train, dev, output, task=task, preset=preset, config=config,
            settings={"model": model, "training": training}, subwords=subwords, source_subwords=source_subwords,
            target_subwords=target_subwords, resume=resume, force=force, device=device, precision=precision,
            threads=threads, progress=_progress(update),
        )  # fmt: skip
        _describe(result)


def _progress(update: Update | None) -> Progress:
    """Progress in the live line of the terminal, or as messages if there is no such line."""
    from seqtrans.training.progress import Progress

    return Progress() if update is None else Progress(update, _LIVE_SECONDS)


def _describe(result: TrainingResult) -> None:
    """Log where the best model is, its score, and the command that uses it."""
    from seqtrans.recurrent.cells import is_custom
    from seqtrans.scoring.registry import formatted_score

    if result.model is None or result.score is None:
        return
    model = result.config.model
    task = TASKS[model.task]
    search = " (greedy)" if model.task == "translate" else ""
    score = f"{result.score:.3f}" if result.metric == "loss" else formatted_score(result.metric, result.score) + search
    _logger.info(
        f"{result.model}: kept from step {result.best_step:,} of {result.steps:,}, dev {result.metric} "
        f"{score}, after {result.seconds / 60:.1f} minutes"
    )
    cell = f" --cell {model.cell}" if is_custom(model.cell) else ""
    _logger.info(f"{task.verb} with: seqtrans {task.commands[0]} {result.model}{cell} < TEXT")


def _minutes(text: str) -> float:
    """Minutes of a time such as '90s', '45m' or '2h'.

    Raises:
        UsageError: it is not such a time, or zero.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if match is None or not float(match[1]):
        raise UsageError(f"--max-time must be a time such as 90s, 45m or 2h, not '{text}'")
    return float(match[1]) * _UNIT_MINUTES[match[2]]
