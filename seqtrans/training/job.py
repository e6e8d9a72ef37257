"""One training, from text files to a model file."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path

from seqtrans.config.schema import STOPPING_KEYS, Config, TrainingConfig
from seqtrans.device import Compute
from seqtrans.errors import DataError, SeqtransError, StreamError, UsageError
from seqtrans.io.files import check_output
from seqtrans.model.attention import find_attention
from seqtrans.model.shortlist import Shortlist
from seqtrans.model.trained import CELL_DIGEST
from seqtrans.recurrent.cells import find_cell, is_custom
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.custom import load_cell
from seqtrans.training.checkpoint import Checkpoint, StateFolder
from seqtrans.training.language_task import LanguageTask
from seqtrans.training.loop import MakeTask, Trainer
from seqtrans.training.options import TrainOptions
from seqtrans.training.preparation import SUBWORD_DIGESTS, learn_shortlist, prepare, prepare_language
from seqtrans.training.progress import Progress
from seqtrans.training.translation_task import TranslationTask

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingResult:
    """What a training achieved."""

    model: Path | None
    """The file of the best model; None if no validation gave a finite number."""
    steps: int
    best_step: int
    """The step after which the best model was kept."""
    metric: str
    score: float | None
    """The best model's score on the development text, in the metric's unit."""
    seconds: float
    """Time spent, by earlier processes too."""
    is_out_of_patience: bool
    """Whether it ended because the score did not improve any more."""
    config: Config
    """All settings of the training."""


def train(options: TrainOptions, compute: Compute, progress: Progress | None = None) -> TrainingResult:
    """Train a model until its budget of steps, epochs, time or patience is spent.

    Writes the best model so far to `options.output`, and beside it a log (.log.jsonl) and checkpoints (.state/).
    In the main thread, SIGINT and SIGTERM stop the training after the current step.

    Raises:
        UsageError: the configuration cannot work, or a training or a model would be replaced.
        DataError: the texts or a checkpoint cannot be used.
        StreamError: a file cannot be read or written, or another training uses the output.
        Interrupted: a signal stopped it; a checkpoint is saved.
        SeqtransError: loss or gradient became infinite or not a number.
    """
    model = options.config.model
    custom = load_cell(model.cell) if is_custom(model.cell) else None
    cell = custom.kind if custom else find_cell(model.cell)
    find_attention(model.attention)
    check_output(options.output, options.input_paths())
    folder = StateFolder(options.output)
    with folder.locked():
        checkpoint = _load_checkpoint(options, folder)
        data = _prepare(options, checkpoint, cell)
        if custom is not None:
            data.digests[CELL_DIGEST] = custom.digest
        if checkpoint is not None and (difference := _difference(checkpoint, data.digests, options)):
            what, advice = difference
            if not options.overwrite:
                raise DataError(f"{folder.path}: {what}; {advice}")
            _logger.warning(f"{folder.path}: {what}: starting from scratch")
            checkpoint, data = None, _prepare(options, None, cell)
        trainer = Trainer(options.config, data.make_task, compute, options.output, progress or Progress())
        _log_model(trainer, compute)
        if checkpoint is None:
            folder.clear()
        else:
            trainer.resume(checkpoint)
            _logger.info(f"resuming from step {checkpoint.position.step:,} ({folder.path})")
        if trainer.position.step <= (planned := _planned_steps(trainer)) < trainer.config.training.warmup_steps:
            _logger.warning(f"{planned:,} steps are planned, all {_in_warmup(trainer.config.training)}")
        trainer.run()
    return _result(trainer, options)


@dataclass(frozen=True)
class _Data:
    """The data of a training, ready for its task."""

    make_task: MakeTask
    digests: dict[str, str]


def _prepare(options: TrainOptions, checkpoint: Checkpoint | None, cell: type[Cell]) -> _Data:
    """Read and encode the texts; what a checkpoint has of subwords and shortlist is not learned again."""
    config = options.config
    subwords = options.subwords.load()
    if subwords is None and checkpoint is not None:
        subwords = checkpoint.subwords()
    if config.model.task == "lm":
        text = prepare_language(options.train, options.dev, config.text, subwords[1] if subwords else None)
        return _Data(lambda: LanguageTask(config, text, cell), text.digests)
    pairs = prepare(options.train, options.dev, config, subwords)

    def shortlist() -> Shortlist | None:
        if config.model.task == "tag":
            return None
        stored = None if checkpoint is None else checkpoint.shortlist(pairs.source_subwords, pairs.target_subwords)
        return stored or learn_shortlist(pairs, config.text.shortlist)

    return _Data(lambda: TranslationTask(config, pairs, shortlist, cell), pairs.digests)


def _planned_steps(trainer: Trainer) -> float:
    """The most steps that the budgets of steps and epochs allow."""
    training = trainer.config.training
    return min(training.max_steps or math.inf, training.max_epochs * trainer.task.epoch_steps or math.inf)


def _in_warmup(training: TrainingConfig) -> str:
    return (
        f"within the {training.warmup_steps:,} steps of warm-up: lower warmup_steps or batch_size, or train for longer"
    )


def _log_model(trainer: Trainer, compute: Compute) -> None:
    model = trainer.config.model
    parameters = sum(p.numel() for p in trainer.model.network.parameters())
    kind = f"{model.cell}, attention {model.attention}" if model.task == "translate" else model.cell
    _logger.info(f"model: {kind}, {parameters:,} parameters; {trainer.task.size}; {compute.describe()}")


def _load_checkpoint(options: TrainOptions, folder: StateFolder) -> Checkpoint | None:
    """The checkpoint to resume from, if that is wanted and there is one.

    Raises:
        UsageError: something would be replaced that `options.overwrite` does not give away, or the settings differ.
        DataError, StreamError: the checkpoint cannot be used.
    """
    if not (options.resume and folder.exists()):
        if not options.overwrite:
            _refuse_to_replace(options, folder)
        return None
    try:
        checkpoint = folder.load()
        if changes := _changed_settings(checkpoint.config, options.config):
            raise UsageError(f"--resume: the configuration has changed: {changes}")
    except SeqtransError as error:
        if not options.overwrite:
            raise
        _logger.warning(f"{error}: starting from scratch")
        return None
    return checkpoint


def _refuse_to_replace(options: TrainOptions, folder: StateFolder) -> None:
    """Refuse to begin where the model or the checkpoints of another training are.

    Raises:
        UsageError: there are such files.
    """
    if folder.exists():
        try:
            state = "a finished" if folder.load().position.finished else "an unfinished"
        except (DataError, StreamError) as error:
            raise UsageError(f"{error}; add --overwrite to start from scratch") from None
        raise UsageError(
            f"{folder.path} holds {state} training; add --resume to continue it, "
            "or --overwrite to replace it and its model"
        )
    if options.output.is_file() and options.output.stat().st_size:
        raise UsageError(f"{options.output}: exists, without checkpoints beside it; add --overwrite to replace it")


def _changed_settings(before: Config, now: Config) -> str:
    """The settings that differ and may not, for a message; "" if there are none."""
    if _without_stopping_keys(before) == _without_stopping_keys(now):
        return ""
    old = before.to_dict()
    return "; ".join(
        f"{section}.{key} was {old[section][key]!r} and is {value!r}"
        for section, keys in now.to_dict().items()
        for key, value in keys.items()
        if old[section][key] != value and key not in STOPPING_KEYS
    )


def _without_stopping_keys(config: Config) -> Config:
    """The settings that may not change. Of a user's cell that is its class; the content of its file has a digest."""
    defaults = TrainingConfig()
    if is_custom(config.model.cell):
        config = replace(config, model=replace(config.model, cell=config.model.cell.rpartition(":")[2]))
    return replace(config, training=replace(config.training, **{key: getattr(defaults, key) for key in STOPPING_KEYS}))


def _difference(checkpoint: Checkpoint, digests: dict[str, str], options: TrainOptions) -> tuple[str, str] | None:
    """What is not as it was when the training began, and what to do; None if it can be resumed.

    Other texts are a difference unless `options.force`; nothing allows other subwords.
    """
    for name in sorted(digests.keys() | checkpoint.digests.keys(), key=lambda name: (name in SUBWORD_DIGESTS, name)):
        if digests.get(name) == checkpoint.digests.get(name):
            continue
        if name in SUBWORD_DIGESTS:
            advice = "give the same with --subwords, or start from scratch with --overwrite"
            return f"the {name} are not those that this training began with", advice
        if not options.force:
            advice = "start from scratch with --overwrite, or add --force to continue with it anyway"
            return f"the {name} is not what this training began with", advice
    return None


def _result(trainer: Trainer, options: TrainOptions) -> TrainingResult:
    """The result, with warnings where it cannot be good."""
    position, training = trainer.position, options.config.training
    if position.best_score is not None and position.step < training.warmup_steps <= _planned_steps(trainer):
        _logger.warning(f"training ended {_in_warmup(training)}")
    model = None if position.best_score is None else options.output
    return TrainingResult(
        model,
        position.step,
        position.best_step,
        training.metric,
        position.best_score,
        position.seconds,
        trainer.is_out_of_patience(),
        options.config,
    )
