"""One training, from text files to a model file."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from seqtrans.config.schema import BUDGET_KEYS, Config, TrainingConfig
from seqtrans.device import Compute
from seqtrans.errors import DataError, StreamError, UsageError
from seqtrans.io.files import check_output
from seqtrans.model.attention import find_attention
from seqtrans.model.trained import CELL_DIGEST
from seqtrans.recurrent.cells import find_cell, is_custom
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.custom import load_cell
from seqtrans.text.subwords import SubwordModel
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
    config: Config
    """All settings of the training."""


def train(options: TrainOptions, compute: Compute, progress: Progress | None = None) -> TrainingResult:
    """Train a model until its budget of steps, epochs, time or patience is spent.

    Writes the best model so far to `options.output`, and beside it a log (.log.jsonl) and checkpoints (.state/).
    In the main thread, SIGINT and SIGTERM stop the training after the current step.

    Raises:
        UsageError: the configuration cannot work, or an unfinished training would be overwritten.
        DataError: the texts or a checkpoint cannot be used.
        StreamError: a file cannot be read or written, or another training uses the output.
        Interrupted: a signal stopped it; a checkpoint is saved.
        SeqtransError: the loss became infinite or not a number.
    """
    model = options.config.model
    custom = load_cell(model.cell) if is_custom(model.cell) else None
    cell = custom.kind if custom else find_cell(model.cell)
    find_attention(model.attention)
    check_output(options.output, options.input_paths())
    folder = StateFolder(options.output)
    with folder.locked():
        checkpoint = _load_checkpoint(options, folder)
        subwords = options.subwords.load()
        if subwords is None and checkpoint is not None:
            subwords = checkpoint.subwords()  # so that they are not learned again
        make_task, digests = _prepare_task(options, subwords, cell)
        if custom is not None:
            digests[CELL_DIGEST] = custom.digest
        if checkpoint is not None:
            _check_data(checkpoint, digests, folder.path, options.force)
        trainer = Trainer(options.config, make_task, compute, options.output, progress or Progress())
        _log_model(trainer, compute)
        if checkpoint is None:
            folder.clear()
            if options.resume:
                _logger.info(f"no checkpoint in {folder.path}: beginning anew")
        else:
            trainer.resume(checkpoint)
            _logger.info(f"going on from step {checkpoint.position.step:,} ({folder.path})")
        trainer.run()
    return _result(trainer, options)


def _prepare_task(
    options: TrainOptions, subwords: tuple[SubwordModel, SubwordModel] | None, cell: type[Cell]
) -> tuple[MakeTask, dict[str, str]]:
    """Read the data; return a function that makes the task, and the digests of the data."""
    config = options.config
    if config.model.task == "lm":
        text = prepare_language(options.train, options.dev, config.text, subwords[1] if subwords else None)
        return lambda: LanguageTask(config, text, cell), text.digests
    aligned = config.model.task == "tag"
    pairs = prepare(options.train, options.dev, config.text, subwords, aligned=aligned)

    def make() -> TranslationTask:
        count = 0 if aligned else config.text.shortlist
        return TranslationTask(config, pairs, learn_shortlist(pairs, count), cell)

    return make, pairs.digests


def _log_model(trainer: Trainer, compute: Compute) -> None:
    model = trainer.config.model
    parameters = sum(p.numel() for p in trainer.model.network.parameters())
    kind = f"{model.cell}, attention {model.attention}" if model.task == "translate" else model.cell
    _logger.info(f"model: {kind}, {parameters:,} parameters; {trainer.task.size}; {compute.describe()}")


def _load_checkpoint(options: TrainOptions, folder: StateFolder) -> Checkpoint | None:
    """The checkpoint to resume from, if that is wanted and there is one."""
    if not folder.exists():
        return None
    if not options.resume:
        _check_finished(folder)
        return None
    checkpoint = folder.load()
    if _without_budget(checkpoint.config) != _without_budget(options.config):
        before, now = checkpoint.config.to_dict(), options.config.to_dict()
        changed = [
            f"{section}.{key} was {before[section][key]!r} and is {value!r}"
            for section, keys in now.items()
            for key, value in keys.items()
            if before[section][key] != value and key not in BUDGET_KEYS
        ]
        raise UsageError(f"--resume: the configuration has changed: {'; '.join(changed)}")
    return checkpoint


def _check_finished(folder: StateFolder) -> None:
    """Refuse to overwrite a training that could be resumed."""
    try:
        finished = folder.load().position.finished
    except (DataError, StreamError):
        finished = False
    if not finished:
        raise UsageError(
            f"{folder.path} holds an unfinished training; add --resume to go on with it, "
            "or remove that folder to begin anew"
        )


def _without_budget(config: Config) -> Config:
    """The settings that may not change; a user's cell is identified by its class, and its file by a digest."""
    defaults = TrainingConfig()
    if is_custom(config.model.cell):
        config = replace(config, model=replace(config.model, cell=config.model.cell.rpartition(":")[2]))
    return replace(config, training=replace(config.training, **{key: getattr(defaults, key) for key in BUDGET_KEYS}))


def _check_data(checkpoint: Checkpoint, digests: dict[str, str], folder: Path, force: bool) -> None:
    """Refuse other data than before; `force` allows other texts, but nothing allows other subwords."""
    for name in sorted(digests.keys() | checkpoint.digests.keys(), key=lambda name: (name in SUBWORD_DIGESTS, name)):
        if digests.get(name) == checkpoint.digests.get(name):
            continue
        if name in SUBWORD_DIGESTS:  # a corpus file's name has "train" or "dev" before it
            raise DataError(
                f"{folder}: the {name} are not those this training began with; "
                "give the same with --subwords, or train anew without --resume"
            )
        if not force:
            raise DataError(
                f"{folder}: '{name}' is not what this training began with; train anew without --resume, "
                "or add --force to go on all the same"
            )


def _result(trainer: Trainer, options: TrainOptions) -> TrainingResult:
    """The result, with warnings where it cannot be good."""
    position, training = trainer.position, options.config.training
    if position.best_score is None:
        _logger.warning("no validation gave a number; no model was kept")
    elif position.step < training.warmup_steps:
        _logger.warning(
            f"training ended within the {training.warmup_steps:,} steps of warm-up: "
            "lower warmup_steps or batch_size, or train for longer"
        )
    model = None if position.best_score is None else options.output
    return TrainingResult(
        model,
        position.step,
        position.best_step,
        training.metric,
        position.best_score,
        position.seconds,
        options.config,
    )
