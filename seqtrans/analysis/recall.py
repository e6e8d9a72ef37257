"""How long a cell remembers: new networks are trained to repeat symbols after a delay.

A sequence has K random symbols, as many blanks as the delay, a mark, and K more blanks, at which the network must
output the symbols in order. This is the copying task of Arjovsky et al. 2016, section 4.1, a test of long time lags
like those of Hochreiter & Schmidhuber 1997, section 5. Without memory a network is right 1 time in 8.

Shapes: T steps, B sequences, K symbols to recall.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from seqtrans.config.binding import bounded, validate
from seqtrans.config.schema import ModelConfig, TrainingConfig
from seqtrans.device import Compute, choose_compute
from seqtrans.errors import UsageError
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.randomness import derived_seed
from seqtrans.recurrent.cells import find_cell, is_custom
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.custom import load_cell
from seqtrans.recurrent.observation import gradient_norms, record_outputs
from seqtrans.recurrent.seeding import seeded_weights
from seqtrans.text.subwords import PAD_ID
from seqtrans.training.objective import readouts_loss
from seqtrans.training.schedule import learning_rate
from seqtrans.training.update import Updater

SYMBOLS, ALPHABET = 3, 8
"""K, and the number of different symbols."""
BLANK_ID, MARK_ID, FIRST_SYMBOL_ID = PAD_ID, 1, 2
"""The blank is the padding id, so that the loss leaves out all steps but the last K."""
CHANCE = 100 / ALPHABET
"""Percent of symbols that a guess gets right."""

SEQUENCES_AT_ONCE = 64
LEARNING_RATE = 0.01
WARMUP_STEPS = 20
CLIP_NORM = 1.0
TEST_SEQUENCES = 512
UNCLIPPED = "-unclipped"
"""The end of the name of a learner whose gradients are not clipped."""
MAX_DELAY = 1000


@dataclass(frozen=True)
class RecallOptions:
    """Settings that are the same for all cells.

    Raises:
        UsageError: there is no delay, or a value is out of range.
    """

    delays: Sequence[int]
    """Blanks between the symbols and the mark, 1 to `MAX_DELAY`. For each delay a network is trained."""
    steps: int = bounded(1200, 1)
    """Updates of each training."""
    hidden: int = bounded(64, 1, 1024)
    """Units of each cell."""
    seed: int = bounded(1, 0, 2**63 - 1)

    def __post_init__(self) -> None:
        validate(self)
        if not self.delays:
            raise UsageError("delays: give at least one")
        for delay in self.delays:
            if not 1 <= delay <= MAX_DELAY:
                raise UsageError(f"delays must be between 1 and {MAX_DELAY}, not {delay}")


@dataclass(frozen=True)
class Learner:
    """A cell, and whether gradients are clipped to a norm of 1 in training."""

    cell: str
    clipped: bool
    kind: type[Cell] | None = field(default=None, compare=False, repr=False)
    """The class of a user's cell; None for a cell of seqtrans, which its name identifies."""

    @property
    def name(self) -> str:
        """The name that `parse` turns into this learner."""
        return self.cell if self.clipped else self.cell + UNCLIPPED

    @classmethod
    def parse(cls, name: str) -> Learner:
        """A learner from the name of a cell, or FILE.py:CLASS for a user's cell; `-unclipped` may follow.

        Raises:
            UsageError: there is no such cell, or it is not valid.
            StreamError: a user's file cannot be read.
        """
        cell = name.removesuffix(UNCLIPPED)
        if is_custom(cell):
            return cls(cell, cell == name, load_cell(cell).kind)
        find_cell(cell)
        return cls(cell, cell == name)


@dataclass(frozen=True)
class Sequences:
    """A batch of sequences. Their symbols are independent and equally likely."""

    inputs_TB: Tensor
    outputs_TB: Tensor
    """The correct output at each step: blanks, then in the last K rows the symbols of the first K."""
    target_tokens: int
    """Number of symbols to output, K * B."""

    @classmethod
    def draw(cls, delay: int, count: int, seed: int) -> Sequences:
        """A random batch of `count` sequences. The same arguments give the same batch."""
        generator = torch.Generator().manual_seed(seed)
        symbols_KB = torch.randint(FIRST_SYMBOL_ID, FIRST_SYMBOL_ID + ALPHABET, (SYMBOLS, count), generator=generator)
        inputs_TB = torch.full((SYMBOLS + delay + 1 + SYMBOLS, count), BLANK_ID)
        outputs_TB = inputs_TB.clone()
        inputs_TB[:SYMBOLS] = outputs_TB[-SYMBOLS:] = symbols_KB
        inputs_TB[SYMBOLS + delay] = MARK_ID
        return cls(inputs_TB, outputs_TB, symbols_KB.numel())

    def to(self, device: torch.device) -> Sequences:
        """The batch on a device."""
        return Sequences(self.inputs_TB.to(device), self.outputs_TB.to(device), self.target_tokens)


@dataclass(frozen=True)
class Recall:
    """The result for one network after its training."""

    learner: Learner
    delay: int
    recalled: float
    """Percent of the symbols of new sequences that it outputs correctly."""
    gradient_fresh: float
    """||dL/dh_1|| / ||dL/dh_T|| before training. L is -log p of the last symbol; norms are means over sequences."""
    gradient_trained: float
    """The same ratio after training."""
    skipped: int
    """Updates that were skipped because the norm of their gradient was not finite."""


def learn_to_recall(learner: Learner, delay: int, options: RecallOptions, progress: Callable[[int], None]) -> Recall:
    """Train a new network on delays up to `delay`, and test it with `delay`.

    `progress` is called with the number of each update. The computation uses one thread; afterwards torch has its
    former number of threads.

    The logarithm of the delays in training is uniformly distributed. Without many short delays an LSTM, whose forget
    gates start near 0.7, learns the task only after many updates. All learners are trained on the same sequences, and
    equal options give equal results.
    """
    threads = torch.get_num_threads()
    try:
        return _learn_to_recall(learner, delay, options, progress)
    finally:
        torch.set_num_threads(threads)


def _learn_to_recall(learner: Learner, delay: int, options: RecallOptions, progress: Callable[[int], None]) -> Recall:
    compute = small_compute()
    network = _new_network(learner, options)
    test = Sequences.draw(delay, TEST_SEQUENCES, derived_seed(options.seed, "recall test", delay))
    initial_ratio = _gradient_ratio(network, test)
    training = _training(learner, options)
    updater = Updater(network, training, compute)
    skipped = 0
    for number in range(1, options.steps + 1):
        seed = derived_seed(options.seed, "recall", delay, number)
        random_delay = int((delay + 1) ** random.Random(seed).random())
        rate = learning_rate(training, number, (number - 1) / options.steps)
        skipped += not updater.step(
            Sequences.draw(random_delay, SEQUENCES_AT_ONCE, seed), number, rate, _loss
        ).is_finite()
        progress(number)
    return Recall(
        learner, delay, _percent_recalled(network, test), initial_ratio, _gradient_ratio(network, test), skipped
    )


def small_compute() -> Compute:
    """The CPU with one thread: more threads do not speed up such small products, and may change their rounding."""
    return choose_compute("cpu", "fp32", threads=1)


def _new_network(learner: Learner, options: RecallOptions) -> LanguageNetwork:
    """A language model with one layer. Its random weights depend only on the cell, the sizes and the seed."""
    config = ModelConfig(
        task="lm",
        cell=learner.cell,
        embedding=FIRST_SYMBOL_ID + ALPHABET,
        hidden=options.hidden,
        decoder_layers=1,
        tied_embeddings=False,
        dropout=0.0,
    )
    with seeded_weights(derived_seed(options.seed, "weights")):
        return LanguageNetwork(config, FIRST_SYMBOL_ID + ALPHABET, learner.kind)


def _training(learner: Learner, options: RecallOptions) -> TrainingConfig:
    return TrainingConfig(
        learning_rate=LEARNING_RATE,
        warmup_steps=WARMUP_STEPS,
        clip_norm=CLIP_NORM if learner.clipped else 0.0,
        label_smoothing=0.0,
        ema=0.0,
        seed=options.seed,
    )


def _loss(network: LanguageNetwork, batch: Sequences, smoothing: float) -> tuple[Tensor, Tensor]:
    readouts, _ = network.readouts(batch.inputs_TB, network.start(batch.inputs_TB.shape[1]))
    return readouts_loss(network, readouts, batch.outputs_TB, smoothing)


def _percent_recalled(network: LanguageNetwork, test: Sequences) -> float:
    """Percent of the symbols for which the network's likeliest output is correct."""
    with torch.no_grad():
        readouts, _ = network.eval().readouts(test.inputs_TB, network.start(test.inputs_TB.shape[1]))
        predicted_KB = network.logits(readouts[-SYMBOLS:]).argmax(dim=2)
    return 100 * float((predicted_KB == test.outputs_TB[-SYMBOLS:]).double().mean())


def _gradient_ratio(network: LanguageNetwork, test: Sequences) -> float:
    """||dL/dh_1|| / ||dL/dh_T||, where L is the loss of the last prediction; computed in 64 bits."""
    exact = copy.deepcopy(network).eval().double()
    with record_outputs(exact) as observations:
        readouts, _ = exact.readouts(test.inputs_TB[:, :SEQUENCES_AT_ONCE], exact.start(SEQUENCES_AT_ONCE))
    losses_B = F.cross_entropy(exact.logits(readouts[-1]), test.outputs_TB[-1, :SEQUENCES_AT_ONCE], reduction="none")
    (norms_TB,) = gradient_norms(losses_B, observations)
    first, last = float(norms_TB[0].mean()), float(norms_TB[-1].mean())
    return first / last if last else 0.0
