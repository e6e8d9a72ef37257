"""What a training reports while it runs: speed and loss every few seconds, and each validation.

Rates are target subwords per second, EOS included and padding not; losses are nats per target subword.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from seqtrans.scoring.registry import formatted_score
from seqtrans.training.validation import BITS, Validation

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepReport:
    """One update."""

    step: int
    epoch: float
    loss: float
    tokens: int
    learning_rate: float
    progress: float
    """The share of the budget that is spent, 0 to 1; 0 where only patience ends the training."""
    seconds: float
    """Spent since the training began, by earlier processes too."""


class Progress:
    """Logs validations, and by default the mean of the latest updates too."""

    def __init__(self, show: Callable[[str], None] = _logger.info, interval: float = 10.0) -> None:
        """`show` gets a line about the latest updates every `interval` seconds."""
        self.show, self.interval = show, interval
        self._shown: list[str] | None = None
        self.start_interval()

    def step(self, report: StepReport) -> None:
        """Count an update; show the mean of the latest ones when the interval is over."""
        self._loss += report.loss * report.tokens
        self._tokens += report.tokens
        elapsed = time.monotonic() - self._start
        if elapsed < self.interval:
            return
        mean, rate = self._loss / self._tokens, self._tokens / elapsed
        left = report.seconds * (1 - report.progress) / report.progress if report.progress > 0 else math.inf
        self.show(
            f"step {report.step:,}  epoch {report.epoch:.1f}  loss {mean:.3f}  {rate:,.0f} tokens/s  "
            f"lr {report.learning_rate:.2g}  ETA {_clock(left)}"  # fits a terminal of 80 columns
        )
        self.start_interval()

    def start_interval(self) -> None:
        """Start a new interval, so that the time of a validation does not count as time of updates."""
        self._start = time.monotonic()
        self._loss = self._tokens = 0.0

    def validation(self, result: Validation, step: int, kept: str) -> None:
        """Log a validation; `kept` says why the model was kept, and is "" if it was not.

        The first time, its examples are logged whole, and then those translations that have changed.
        """
        mark = f"  ({kept}, kept)" if kept else ""
        _logger.info(
            f"step {step:,}  dev loss {result.loss:.3f}  perplexity {_perplexity(result.loss)}{_score(result)}{mark}"
        )
        for number, (source, translation, reference) in enumerate(result.examples, 1):
            if self._shown is None:
                _logger.info(f"    {number}. {source}\n      -> {translation}\n       = {reference}")
            elif translation != self._shown[number - 1]:
                _logger.info(f"    {number}. -> {translation}")
        self._shown = [translation for _, translation, _ in result.examples]


def _score(result: Validation) -> str:
    """The score beside the loss, if there is one."""
    if result.metric == BITS:
        return f"  {result.score:.3f} bits per character"
    if result.metric == "loss":
        return ""
    return f"  {result.metric} {formatted_score(result.metric, result.score)}"


def _perplexity(loss: float) -> str:
    return f"{math.exp(min(loss, 50)):,.1f}"


def _clock(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
