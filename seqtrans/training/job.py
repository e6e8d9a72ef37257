"""A training as the user asks for it: files in, a model file out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from seqtrans.config import Config, TrainingConfig
from seqtrans.device import Compute
from seqtrans.errors import DataError, StreamError, UsageError
from seqtrans.model.attention import find_attention
from seqtrans.model.file import CELL_DIGEST
from seqtrans.recurrent.cells import find_cell, is_custom
from seqtrans.recurrent.custom import adopt_cell
from seqtrans.scoring.registry import metric_names, shown
from seqtrans.tasks import TASKS
from seqtrans.text.files import check_output
from seqtrans.text.subwords import SubwordModel
from seqtrans.training.checkpoint import Checkpoint, StateFolder
from seqtrans.training.language_task import LanguageTask
from seqtrans.training.loop import MakeTask, Trainer
from seqtrans.training.preparation import SUBWORD_DIGESTS, SubwordFiles, learn_shortlist, prepare, prepare_language
from seqtrans.training.progress import Progress
from seqtrans.training.translation_task import TranslationTask

_BUDGET = ("max_steps", "max_epochs", "max_minutes", "patience")
"""What may change between a training and its continuation."""


@dataclass(frozen=True)
class TrainingJob:
    """What the command line asks for."""

    train: list[Path]
    dev: list[Path]
    output: Path
    subwords: SubwordFiles
    config: Config
    resume: bool
    force: bool


def run_job(job: TrainingJob, compute: Compute, progress: Progress) -> None:
    """Train, and tell what came of it.

    Raises:
        UsageError: the configuration cannot work, or an unfinished training would be overwritten.
        DataError: the corpora or a checkpoint cannot be used.
        StreamError: a file cannot be read or written, or another training has the output.
        Interrupted: a signal stopped it; a checkpoint is saved.
    """
    _check_metric(job.config.training.metric)
    cell = job.config.model.cell
    cell_digest = adopt_cell(cell) if is_custom(cell) else None
    find_cell(cell)
    find_attention(job.config.model.attention)
    check_output(job.output, [*job.train, *job.dev, *job.subwords.files()])
    folder = StateFolder(job.output)
    with folder.locked():
        checkpoint = _checkpoint_of(job, folder, progress)
        subwords = job.subwords.load()
        if subwords is None and checkpoint is not None:
            subwords = checkpoint.subwords()  # what was learned from the text once is not learned again
        make, digests = _task(job, subwords, progress)
        if cell_digest is not None:
            digests[CELL_DIGEST] = cell_digest
        if checkpoint is not None:
            _check_data(checkpoint, digests, folder.path, job.force)
        trainer = Trainer(job.config, make, compute, job.output, progress)
        model = job.config.model
        parameters = sum(p.numel() for p in trainer.model.network.parameters())
        kind = f"{model.cell}, attention {model.attention}" if model.task == "translate" else model.cell
        progress.say(f"model: {kind}, {parameters:,} parameters; {trainer.task.size}; {compute.describe()}")
        if checkpoint is None:
            folder.clear()
            if job.resume:
                progress.say(f"no checkpoint in {folder.path}: beginning anew")
        else:
            trainer.resume(checkpoint)
            progress.say(f"going on from step {checkpoint.position.step:,} ({folder.path})")
        trainer.run()
    _tell(trainer, job, progress)


def _task(
    job: TrainingJob, subwords: tuple[SubwordModel, SubwordModel] | None, progress: Progress
) -> tuple[MakeTask, dict[str, str]]:
    """What makes the task, once its data are read; and the digests of these."""
    config = job.config
    if config.model.task == "lm":
        if job.subwords.source is not None:
            raise UsageError("a language model has one subword model: give it with --subwords")
        text = prepare_language(job.train, job.dev, config.text, subwords[1] if subwords else None, progress.say)
        return lambda: LanguageTask(config, text), text.digests
    aligned = config.model.task == "tag"
    pairs = prepare(job.train, job.dev, config.text, subwords, progress.say, aligned=aligned)

    def make() -> TranslationTask:
        count = 0 if aligned else config.text.shortlist
        return TranslationTask(config, pairs, learn_shortlist(pairs, count, progress.say))

    return make, pairs.digests


def _check_metric(name: str) -> None:
    known = [*metric_names(), "loss"]
    if name not in known:
        raise UsageError(f"training.metric must be one of {', '.join(known)}, not '{name}'")


def _checkpoint_of(job: TrainingJob, folder: StateFolder, progress: Progress) -> Checkpoint | None:
    """The checkpoint to go on from, if that is wanted and possible."""
    if not folder.exists():
        return None
    if not job.resume:
        try:
            finished = folder.load(progress.say).position.finished
        except (DataError, StreamError):
            finished = False
        if not finished:
            raise UsageError(
                f"{folder.path} holds an unfinished training; add --resume to go on with it, "
                "or remove that folder to begin anew"
            )
        return None
    checkpoint = folder.load(progress.say)
    if _without_budget(checkpoint.config) != _without_budget(job.config):
        before, now = checkpoint.config.to_dict(), job.config.to_dict()
        changed = [
            f"{section}.{key} was {before[section][key]!r} and is {value!r}"
            for section, keys in now.items()
            for key, value in keys.items()
            if before[section][key] != value and key not in _BUDGET
        ]
        raise UsageError(f"--resume: the configuration has changed: {'; '.join(changed)}")
    return checkpoint


def _without_budget(config: Config) -> Config:
    """What may not change; a user's cell is known by its class, and its file by a digest."""
    defaults = TrainingConfig()
    if is_custom(config.model.cell):
        config = replace(config, model=replace(config.model, cell=config.model.cell.rpartition(":")[2]))
    return replace(config, training=replace(config.training, **{key: getattr(defaults, key) for key in _BUDGET}))


def _check_data(checkpoint: Checkpoint, found: dict[str, str], folder: Path, force: bool) -> None:
    """Refuse other data; `force` excuses another corpus, but nothing excuses other subwords."""
    for name in sorted(found.keys() | checkpoint.digests.keys(), key=lambda name: (name in SUBWORD_DIGESTS, name)):
        if found.get(name) == checkpoint.digests.get(name):
            continue
        if name in SUBWORD_DIGESTS:  # and not a corpus file that is called so
            raise DataError(
                f"{folder}: the {name} are not those this training began with; "
                "give the same with --subwords, or train anew without --resume"
            )
        if not force:
            raise DataError(
                f"{folder}: '{name}' is not what this training began with; train anew without --resume, "
                "or add --force to go on all the same"
            )


def _tell(trainer: Trainer, job: TrainingJob, progress: Progress) -> None:
    position, metric = trainer.position, job.config.training.metric
    if position.best_score is None:
        progress.say("warning: no validation gave a number; no model was kept")
        return
    warmup = job.config.training.warmup_steps
    if position.step < warmup:
        progress.say(
            f"warning: training ended within the {warmup:,} steps of warm-up: "
            "lower warmup_steps or batch_size, or train for longer"
        )
    search = " (greedy)" if job.config.model.task == "translate" else ""
    score = f"{position.best_score:.3f}" if metric == "loss" else shown(metric, position.best_score) + search
    progress.say(
        f"{job.output}: kept from step {position.best_step:,} of {position.step:,}, dev {metric} "
        f"{score}, after {position.seconds / 60:.1f} minutes"
    )
    model = job.config.model
    task = TASKS[model.task]
    cell = f" --cell {model.cell}" if is_custom(model.cell) else ""
    progress.say(f"{task.verb} with: seqtrans {task.commands[0]} {job.output}{cell} < TEXT")
