"""The training loop: update, validate, keep the best, stop, go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from seqtrans import __version__
from seqtrans.config import Config
from seqtrans.device import Compute
from seqtrans.errors import Interrupted, SeqtransError
from seqtrans.model.file import save_model, set_weights, subword_tensors, weights_of
from seqtrans.randomness import derived_seed
from seqtrans.text.files import copy_file
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

VALIDATE_BETWEEN = (250, 1000)
"""Where nothing else is configured: an epoch is validated once, but within these numbers of steps."""
LOG_EVERY = 50
CARRIED = "carried"
"""The part of a checkpoint that holds what the next batch needs of those before it."""

MakeTask = Callable[[], Task]
"""Makes the network too, whose initial weights come from the random numbers of then."""


class Trainer:
    """One training, from fresh weights or from a checkpoint."""

    def __init__(self, config: Config, make: MakeTask, compute: Compute, output: Path, progress: Progress) -> None:
        self.config, self.compute = config, compute
        self.output, self.progress = output, progress
        self.folder = StateFolder(output)
        self.position = Position()
        self.stop = StopRequest()
        training = config.training
        torch.manual_seed(derived_seed(training.seed, "initial weights"))
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
        """Go on where a checkpoint stands."""
        self.position = checkpoint.position
        self._earlier_seconds = checkpoint.position.seconds
        set_weights(self.model.network, checkpoint.part("weights"))
        average = checkpoint.part("average")
        for name, tensor in self.updater.average.weights().items():
            tensor.copy_(average[name])
        if self.position.batch >= self._epoch_steps:  # the corpus has become smaller
            self.position.epoch, self.position.batch = self.position.epoch + 1, 0
        restore_optimizer(self.updater.optimizer, self._names, checkpoint.tensors)
        carried = checkpoint.part(CARRIED)
        self.task.carry([carried[str(number)] for number in range(len(carried))])
        self._restore_best()

    def _restore_best(self) -> None:
        """Write the best model anew where it was deleted, as make does with the target of what is interrupted."""
        best = self.folder.best_model
        if not self.position.best_step or (best.exists() and self.output.exists()):
            return
        if best.exists():
            copy_file(best, self.output)
            self.progress.say(f"{self.output}: written anew, the best model so far (step {self.position.best_step:,})")
        elif self.output.exists():
            copy_file(self.output, best)
        else:
            self.position.best_score, self.position.best_step, self.position.stale = None, 0, 0
            self.progress.say(
                f"warning: {self.output} and {best} are gone; the next validation counts as the best so far"
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
            self.position.finished = True
            self._save_checkpoint()
            if self._last is not None:
                self._save_model(self.folder.last_model, self._last)
            if self.position.best_step and self.output.is_file():
                self.output.touch()  # newer than what it was made from, as make wants it

    def _loop(self) -> None:
        while True:
            over = self._progress() >= 1 or self._out_of_patience()
            step = self.position.step
            if step > self.position.validated and (over or step % self._validate_every == 0):
                self._validate()
                over = over or self._out_of_patience()
            if over:
                return
            self._update()
            self._look_for_signal()

    def _update(self) -> None:
        """One step of gradient descent."""
        training, position = self.config.training, self.position
        batch = self.task.batch(position.epoch, position.batch).to(self.compute.device)
        rate = learning_rate(training, position.step + 1, self._progress())
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
        epoch = position.epoch + position.batch / self._epoch_steps
        self.progress.step(
            StepReport(position.step, epoch, update.loss, batch.target_tokens, rate, self._progress(), position.seconds)
        )

    def _validate(self) -> None:
        """Look at the development set; keep the model if it is the best so far; save a checkpoint."""
        metric, position = self.config.training.metric, self.position
        with self.updater.average.applied():
            found = self.task.validate(self.compute, metric, self._look_for_signal)
        better, value = is_better(found, position.best_score, metric)
        self._last = found
        position.validated = position.step
        position.stale = 0 if better else position.stale + 1
        if better:
            position.best_score, position.best_step = value, position.step
            self._save_model(self.folder.best_model, found)
            copy_file(self.folder.best_model, self.output)
        position.seconds = self._seconds()
        self._log.write(
            "validation", step=position.step, loss=found.loss, metric=found.metric, score=found.score,
            kept=better, seconds=position.seconds,
        )  # fmt: skip
        self.progress.validation(found, f"step {position.step:,}", better)
        self._save_checkpoint()
        self.progress.pause()

    def _save_model(self, path: Path, found: Validation) -> None:
        save_model(path, replace(self.model, history=self._history(found)), self.updater.average.weights())

    def _history(self, found: Validation) -> dict[str, Any]:
        """What the model file tells of its making; nothing in it depends on the time it took."""
        search = {"search": "greedy"} if self.config.model.task == "translate" else {}
        return {
            "seqtrans": __version__,
            "torch": torch.__version__,
            "precision": str(self.compute.dtype).removeprefix("torch."),
            "steps": self.position.step,
            "epochs": round(self.position.step / self._epoch_steps, 2),
            **self.task.history(),
            "data": self.task.digests,
            "dev": {"loss": found.loss, found.metric: found.score, **search},
        }

    def _save_checkpoint(self) -> None:
        self.position.log_bytes = self._log.length
        parts = {"weights": weights_of(self.model.network), "average": self.updater.average.weights()}
        tensors = {f"{part}.{name}": t for part, named in parts.items() for name, t in named.items()}
        tensors |= optimizer_tensors(self.updater.optimizer, self._names)
        tensors |= subword_tensors(self.model.source_subwords, self.model.target_subwords)
        tensors |= {f"{CARRIED}.{number}": tensor for number, tensor in enumerate(self.task.carried())}
        self.folder.save(Checkpoint(self.config, self.position, self.task.digests, tensors))

    def _look_for_signal(self) -> None:
        """Break off where a signal asked for it."""
        if self.stop.signal is not None:
            kept = "" if self.position.best_step else ", before there was a model"
            raise Interrupted(
                f"stopped by {self.stop.signal.name} after step {self.position.step}{kept}; "
                "the same command with --resume goes on",
                self.stop.signal,
            )

    def _diverged(self, batch: AnyBatch) -> SeqtransError:
        return SeqtransError(
            f"step {self.position.step + 1}: the loss is not a number any more, at {self.task.where(batch)}; "
            f"what was kept before stays; remove {self.folder.path} and try a lower learning_rate or clip_norm"
        )

    def _progress(self) -> float:
        """The share of the budget that is spent, by whichever limit is nearest."""
        training, position = self.config.training, self.position
        epochs = position.epoch + position.batch / self._epoch_steps
        spent = (
            (position.step, training.max_steps),
            (epochs, training.max_epochs),
            (self._seconds() / 60, training.max_minutes),
        )
        return max((used / limit for used, limit in spent if limit), default=0.0)

    def _out_of_patience(self) -> bool:
        patience = self.config.training.patience
        return bool(patience) and self.position.stale >= patience

    def _seconds(self) -> float:
        return self._earlier_seconds + time.monotonic() - self._began
