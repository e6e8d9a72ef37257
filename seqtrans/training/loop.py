"""The training loop: update, validate, keep the best model, save checkpoints, stop and resume."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from seqtrans.config.schema import Config
from seqtrans.device import Compute
from seqtrans.errors import DataError, Interrupted, SeqtransError
from seqtrans.io.files import copy_file
from seqtrans.model.file import save_model, subword_tensors, trained_steps
from seqtrans.model.trained import DATA_DIGESTS
from seqtrans.model.weights import set_weights, weights_of
from seqtrans.randomness import derived_seed
from seqtrans.recurrent.seeding import seeded_weights
from seqtrans.training.checkpoint import (
    Checkpoint,
    Position,
    StateFolder,
    beside,
    optimizer_tensors,
    restore_optimizer,
)
from seqtrans.training.log import Log
from seqtrans.training.progress import Progress, StepReport
from seqtrans.training.schedule import learning_rate
from seqtrans.training.signals import StopRequest
from seqtrans.training.task import AnyBatch, Task
from seqtrans.training.update import Updater
from seqtrans.training.validation import Validation, is_better
from seqtrans.version import __version__

_logger = logging.getLogger(__name__)

VALIDATE_BETWEEN = (250, 1000)
"""The fewest and the most steps between validations, where the default is one per epoch."""
LOG_EVERY = 50
"""Steps between two records of updates in the log."""
CARRIED = "carried"
"""The part of a checkpoint with the recurrent state that one batch of a language model hands to the next."""

MakeTask = Callable[[], Task]
"""Makes the network too, whose initial weights are drawn from torch's generator at that time."""


class Trainer:
    """One training, from fresh weights or from a checkpoint."""

    def __init__(self, config: Config, make: MakeTask, compute: Compute, output: Path, reporter: Progress) -> None:
        self.config, self.compute = config, compute
        self.output, self.reporter = output, reporter
        self.folder = StateFolder(output)
        self.position = Position()
        self.stop = StopRequest()
        training = config.training
        with seeded_weights(derived_seed(training.seed, "initial weights")):
            self.task = make()
        self.model = self.task.model
        network = self.model.network.to(compute.device)
        self.updater = Updater(network, training, compute)
        self._names = list(weights_of(network))
        self._epoch_steps = self.task.epoch_steps
        low, high = VALIDATE_BETWEEN
        self._validate_every = training.validate_every or min(max(self._epoch_steps, low), high)
        self._last: Validation | None = None
        self._earlier_seconds = 0.0
        self._began = time.monotonic()

    def resume(self, checkpoint: Checkpoint) -> None:
        """Continue from a checkpoint.

        Raises:
            DataError: its weights do not fit the network; a user's cell may have changed.
        """
        weights = checkpoint.part("weights")
        expected = {name: tensor.shape for name, tensor in weights_of(self.model.network).items()}
        if {name: tensor.shape for name, tensor in weights.items()} != expected:
            raise DataError(f"{self.folder.path}: the weights do not fit the network; has its cell's file changed?")
        self.position = checkpoint.position
        self._earlier_seconds = checkpoint.position.seconds
        set_weights(self.model.network, weights)
        average = checkpoint.part("average")
        for name, tensor in self.updater.average.weights().items():
            tensor.copy_(average[name])
        if self.position.batch >= self._epoch_steps:  # the corpus has become smaller
            self.position.epoch, self.position.batch = self.position.epoch + 1, 0
        restore_optimizer(self.updater.optimizer, self._names, checkpoint.tensors)
        carried = checkpoint.part(CARRIED)
        self.task.restore_carried([carried[str(number)] for number in range(len(carried))])
        self._restore_best()

    def _restore_best(self) -> None:
        """Write the best model again if an earlier one is at its place, or none: see `_validate`."""
        best, step = self.folder.best_model, self.position.best_step
        if not step:
            return
        if trained_steps(best) is not None:
            if not self.output.exists() or (trained_steps(self.output) or step) < step:
                copy_file(best, self.output)
                _logger.info(f"{self.output}: written again, the best model so far (step {step:,})")
        elif trained_steps(self.output) == step:
            copy_file(self.output, best)
        else:
            self.position.best_score, self.position.best_loss = None, None
            self.position.best_step, self.position.stale = 0, 0
            _logger.warning(
                f"neither {self.output} nor {best} is the best model of this training; "
                "the next validation counts as the best so far"
            )

    def run(self) -> None:
        """Train until a budget is spent.

        Raises:
            Interrupted: a signal asked to stop; a checkpoint is saved.
            SeqtransError: the loss is not a number any more.
        """
        self._began = time.monotonic()
        self.position.finished = False
        with (
            Log(beside(self.output, ".log.jsonl"), self.position.log_bytes) as self._log,
            self.stop.listening(),
        ):
            try:
                self._loop()
            except Interrupted:
                self._save_checkpoint()
                raise
            if self._last is not None:
                self._save_model(self.folder.last_model, self._last)
            self.position.finished = True
            self._save_checkpoint()
            if self.position.best_step and self.output.is_file():
                self.output.touch()  # newer than the text, so that GNU make sees that it is up to date

    def _loop(self) -> None:
        while True:
            over = self._spent_share() >= 1 or self.is_out_of_patience()
            step = self.position.step
            if step > self.position.validated and (over or step % self._validate_every == 0):
                self._validate()
                self._stop_if_asked()  # also at the end: the model may not have been copied to the output
                over = over or self.is_out_of_patience()
            if over:
                return
            self._update()
            self._stop_if_asked()

    def _update(self) -> None:
        """One step of gradient descent."""
        training, position = self.config.training, self.position
        batch = self.task.batch(position.epoch, position.batch).to(self.compute.device)
        rate = learning_rate(training, position.step + 1, self._spent_share())
        update = self.updater.step(batch, position.step + 1, rate, self.task.loss)
        if not update.is_finite():
            raise self._diverged(batch)
        position.step += 1
        position.batch += 1
        position.tokens += batch.target_tokens
        if position.batch == self._epoch_steps:
            position.epoch, position.batch = position.epoch + 1, 0
        position.seconds = self._seconds()
        if position.step % LOG_EVERY == 0:
            self._log.write(
                "step", step=position.step, loss=update.loss, gradient_norm=update.gradient_norm, learning_rate=rate,
                tokens=position.tokens, seconds=position.seconds,
            )  # fmt: skip
        epoch, share = position.epoch + position.batch / self._epoch_steps, self._spent_share()
        self.reporter.step(
            StepReport(position.step, epoch, update.loss, batch.target_tokens, rate, share, position.seconds)
        )

    def _validate(self) -> None:
        """Measure the model on the development set; keep it if it is the best so far; save a checkpoint."""
        metric, position = self.config.training.metric, self.position
        with self.updater.average.applied():
            result = self.task.validate(self.compute, metric, self._stop_if_asked)
        better = is_better(result, position.best_score, position.best_loss, metric)
        only_loss = metric != "loss" and result.score == position.best_score
        self._last = result
        position.validated = position.step
        position.stale = 0 if better else position.stale + 1
        if better:
            position.best_score, position.best_loss = result.deciding_score(metric), result.loss
            position.best_step = position.step
            self._save_model(self.folder.best_model, result)
            # GNU make deletes the target of a command when a signal comes, not when the command has ended, and would
            # take what is written after that for finished: `_restore_best` writes it when the training goes on
            copy_file(self.folder.best_model, self.output, is_wanted=lambda: self.stop.signal is None)
        position.seconds = self._seconds()
        self._log.write(
            "validation", step=position.step, loss=result.loss, metric=result.metric, score=result.score,
            kept=better, seconds=position.seconds,
        )  # fmt: skip
        self._save_checkpoint()
        reason = "no better score, but a lower loss" if only_loss else "best so far"
        self.reporter.validation(result, position.step, reason if better else "")
        self.reporter.start_interval()

    def _save_model(self, path: Path, result: Validation) -> None:
        save_model(
            path, replace(self.task.model_to_save(), history=self._history(result)), self.updater.average.weights()
        )

    def _history(self, result: Validation) -> dict[str, Any]:
        """How the model was made, for its file; nothing here depends on the time it took."""
        search = {"search": "greedy"} if self.config.model.task == "translate" else {}
        return {
            "seqtrans": __version__,
            "torch": torch.__version__,
            "precision": str(self.compute.dtype).removeprefix("torch."),
            "steps": self.position.step,
            "epochs": round(self.position.step / self._epoch_steps, 2),
            **self.task.history(),
            DATA_DIGESTS: self.task.digests,
            "dev": {"loss": result.loss, result.metric: result.score, **search},
        }

    def _save_checkpoint(self) -> None:
        self.position.log_bytes = self._log.length
        parts = {"weights": weights_of(self.model.network), "average": self.updater.average.weights()}
        tensors = {f"{part}.{name}": t for part, named in parts.items() for name, t in named.items()}
        tensors |= optimizer_tensors(self.updater.optimizer, self._names)
        tensors |= subword_tensors(self.model.source_subwords, self.model.target_subwords)
        if self.task.model.shortlist is not None:
            tensors |= self.task.model.shortlist.tensors()
        tensors |= {f"{CARRIED}.{number}": tensor for number, tensor in enumerate(self.task.carried())}
        self.folder.save(Checkpoint(self.config, self.position, self.task.digests, tensors))

    def _stop_if_asked(self) -> None:
        """Stop the training if a signal asked for it."""
        if self.stop.signal is not None:
            kept = "" if self.position.best_step and self.output.exists() else ", before there was a model"
            raise Interrupted(
                f"stopped by {self.stop.signal.name} after step {self.position.step}{kept}; "
                "the same command with --resume continues",
                self.stop.signal,
            )

    def _diverged(self, batch: AnyBatch) -> SeqtransError:
        return SeqtransError(
            f"step {self.position.step + 1}: loss or gradient is infinite or not a number, at "
            f"{self.task.where(batch)}; a model kept earlier stays; to start from scratch with a lower "
            "learning_rate or clip_norm, add --overwrite"
        )

    def _spent_share(self) -> float:
        """The share of the budget that is spent, by whichever limit is nearest."""
        training, position = self.config.training, self.position
        epochs = position.epoch + position.batch / self._epoch_steps
        spent = (
            (position.step, training.max_steps),
            (epochs, training.max_epochs),
            (self._seconds() / 60, training.max_minutes),
        )
        return max((used / limit for used, limit in spent if limit), default=0.0)

    def is_out_of_patience(self) -> bool:
        """Whether there were `patience` validations since the best one."""
        patience = self.config.training.patience
        return bool(patience) and self.position.stale >= patience

    def _seconds(self) -> float:
        return self._earlier_seconds + time.monotonic() - self._began
