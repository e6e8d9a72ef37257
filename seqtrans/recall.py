"""What a cell can remember: fresh networks learn to give symbols back after a delay.

A sequence shows K symbols, then blanks for as long as the delay, then a mark; at the K blanks that follow, the network
must give the symbols back in order: the copying task of Arjovsky et al. 2016, section 4.1, a test of long time lags
as Hochreiter & Schmidhuber 1997, section 5, devised them. Nothing but memory helps, and chance is 1 in 8.

Shapes: T steps, B sequences, K symbols to recall.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from seqtrans.config import ModelConfig, TrainingConfig
from seqtrans.device import Compute, choose_compute
from seqtrans.model.language_model import LanguageModel
from seqtrans.randomness import derived_seed
from seqtrans.recurrent.cells import find_cell, is_custom
from seqtrans.recurrent.custom import adopt_cell
from seqtrans.recurrent.watching import gradient_norms, watched
from seqtrans.text.subwords import PAD_ID
from seqtrans.training.objective import readouts_loss
from seqtrans.training.schedule import learning_rate
from seqtrans.training.update import Updater

SHOWN, ALPHABET = 3, 8
BLANK_ID, MARK_ID, FIRST_SYMBOL_ID = PAD_ID, 1, 2
"""Where a blank stands among what is wanted, nothing is: the loss leaves padding out."""
CHANCE = 100 / ALPHABET

BATCH = 64
LEARNING_RATE = 0.01
WARMUP_STEPS = 20
CLIP_NORM = 1.0
TEST_SEQUENCES = 512
UNCLIPPED = "-unclipped"


@dataclass(frozen=True)
class Settings:
    """What all cells have in common."""

    steps: int
    """Updates of each training."""
    hidden: int
    seed: int


@dataclass(frozen=True)
class Learner:
    """A cell, and whether gradients whose norm is over 1 are scaled down to it."""

    cell: str
    clipped: bool

    @property
    def name(self) -> str:
        """As `parse` takes it."""
        return self.cell if self.clipped else self.cell + UNCLIPPED

    @classmethod
    def parse(cls, name: str) -> Learner:
        """A cell's name, of one's own FILE.py:CLASS, after which `-unclipped` may follow.

        Raises:
            UsageError: there is no such cell, or it does not work.
            StreamError: a user's file cannot be read.
        """
        cell = name.removesuffix(UNCLIPPED)
        if is_custom(cell):
            adopt_cell(cell)
        find_cell(cell)
        return cls(cell, cell == name)


@dataclass(frozen=True)
class Sequences:
    """Some sequences side by side, of symbols that are independent and equally likely."""

    inputs_TB: Tensor
    outputs_TB: Tensor
    """What is wanted at each step: blanks, and in the last K rows what was shown in the first K."""
    target_tokens: int

    @classmethod
    def draw(cls, delay: int, count: int, seed: int) -> Sequences:
        """The same for the same arguments."""
        generator = torch.Generator().manual_seed(seed)
        shown_KB = torch.randint(FIRST_SYMBOL_ID, FIRST_SYMBOL_ID + ALPHABET, (SHOWN, count), generator=generator)
        inputs_TB = torch.full((SHOWN + delay + 1 + SHOWN, count), BLANK_ID)
        outputs_TB = inputs_TB.clone()
        inputs_TB[:SHOWN] = outputs_TB[-SHOWN:] = shown_KB
        inputs_TB[SHOWN + delay] = MARK_ID
        return cls(inputs_TB, outputs_TB, shown_KB.numel())

    def to(self, device: torch.device) -> Sequences:
        """The same on a device."""
        return Sequences(self.inputs_TB.to(device), self.outputs_TB.to(device), self.target_tokens)


@dataclass(frozen=True)
class Recall:
    """What one network remembers after its training."""

    learner: Learner
    delay: int
    recalled: float
    """Percent of the symbols of fresh sequences."""
    gradient_fresh: float
    """||dL/dh_1|| / ||dL/dh_T|| before training, where L is -log p of the last symbol: means over sequences."""
    gradient_trained: float
    """The same after training."""
    skipped: int
    """Updates left out because their gradient was no finite number."""


def learn_to_recall(learner: Learner, delay: int, settings: Settings, tell: Callable[[int], None]) -> Recall:
    """Train a fresh network with delays up to this one, test it with this one; `tell` hears each update's number.

    Short delays are as frequent as long ones of the next order of magnitude: without them an LSTM, whose forget
    gates start near 0.7, finds the task only after many updates. All learners see the same sequences, and the same
    settings give the same result.
    """
    compute = small_compute()
    network = _fresh(learner, settings)
    test = Sequences.draw(delay, TEST_SEQUENCES, derived_seed(settings.seed, "recall test", delay))
    fresh = _gradient_ratio(network, test)
    training = _training(learner, settings)
    updater = Updater(network, training, compute)
    skipped = 0
    for number in range(1, settings.steps + 1):
        seed = derived_seed(settings.seed, "recall", delay, number)
        shorter = int((delay + 1) ** random.Random(seed).random())
        rate = learning_rate(training, number, (number - 1) / settings.steps)
        skipped += not updater.step(Sequences.draw(shorter, BATCH, seed), number, rate, _loss).is_finite()
        tell(number)
    return Recall(learner, delay, _recalled(network, test), fresh, _gradient_ratio(network, test), skipped)


def small_compute() -> Compute:
    """One thread: products as small as these gain nothing from others, and come out the same on every machine."""
    return choose_compute("cpu", "fp32", threads=1)


def _fresh(learner: Learner, settings: Settings) -> LanguageModel:
    """A network of one layer, a language model of sorts, whose random weights depend on cell and seed alone."""
    torch.manual_seed(derived_seed(settings.seed, "weights"))
    config = ModelConfig(
        task="lm",
        cell=learner.cell,
        embedding=FIRST_SYMBOL_ID + ALPHABET,
        hidden=settings.hidden,
        decoder_layers=1,
        tied_embeddings=False,
        dropout=0.0,
    )
    return LanguageModel(config, FIRST_SYMBOL_ID + ALPHABET)


def _training(learner: Learner, settings: Settings) -> TrainingConfig:
    return TrainingConfig(
        learning_rate=LEARNING_RATE,
        warmup_steps=WARMUP_STEPS,
        clip_norm=CLIP_NORM if learner.clipped else 0.0,
        label_smoothing=0.0,
        ema=0.0,
        seed=settings.seed,
    )


def _loss(network: LanguageModel, batch: Sequences, smoothing: float) -> tuple[Tensor, Tensor]:
    readouts, _ = network.readouts(batch.inputs_TB, network.start(batch.inputs_TB.shape[1]))
    return readouts_loss(network, readouts, batch.outputs_TB, smoothing)


def _recalled(network: LanguageModel, test: Sequences) -> float:
    """Percent of the symbols that are the likeliest of all where they are wanted."""
    with torch.no_grad():
        readouts, _ = network.eval().readouts(test.inputs_TB, network.start(test.inputs_TB.shape[1]))
        found_KB = network.logits(readouts[-SHOWN:]).argmax(dim=2)
    return 100 * float((found_KB == test.outputs_TB[-SHOWN:]).double().mean())


def _gradient_ratio(network: LanguageModel, test: Sequences) -> float:
    """How much of the gradient that the last prediction's loss sends arrives at the first step; in 64 bits."""
    exact = copy.deepcopy(network).eval().double()
    with watched(exact) as noted:
        readouts, _ = exact.readouts(test.inputs_TB[:, :BATCH], exact.start(BATCH))
    losses_B = F.cross_entropy(exact.logits(readouts[-1]), test.outputs_TB[-1, :BATCH], reduction="none")
    (norms_TB,) = gradient_norms(losses_B, noted)
    first, last = float(norms_TB[0].mean()), float(norms_TB[-1].mean())
    return first / last if last else 0.0
