"""What a person sees of a training: a live line in a terminal, plain lines in a log file.

Rates are target subwords a second, EOS included and padding not; losses are nats a target subword.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.status import Status

from seqtrans.scoring.registry import shown
from seqtrans.training.validation import BITS, Validation

PLAIN_SECONDS = 10.0
"""Between two lines where stderr is not a terminal."""


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
    """Spent in all."""


class Progress:
    """Writes to stderr; `quiet` leaves warnings only."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True, emoji=False)
        self._live: Status | None = None
        self._since = time.monotonic()
        self._loss = self._tokens = 0.0

    def __enter__(self) -> Progress:
        if self._console.is_terminal and not self._console.is_dumb_terminal and not self.quiet:
            self._live = self._console.status("starting")
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, message: str) -> None:
        """One line; messages that begin with "warning" are shown even when quiet."""
        if not self.quiet or message.startswith("warning"):
            self._console.print(message, markup=False)

    def step(self, report: StepReport) -> None:
        """Take in an update; show the mean of the last ones when it is time."""
        self._loss += report.loss * report.tokens
        self._tokens += report.tokens
        now = time.monotonic()
        if now - self._since < (0.5 if self._live else PLAIN_SECONDS):
            return
        mean, rate = self._loss / self._tokens, self._tokens / (now - self._since)
        left = report.seconds * (1 - report.progress) / report.progress if report.progress > 0 else math.inf
        line = (
            f"step {report.step:,}  epoch {report.epoch:.2f}  loss {mean:.3f}  perplexity {_perplexity(mean)}  "
            f"{rate:,.0f} tokens/s  ETA {_clock(left)}  learning rate {report.learning_rate:.2g}"
        )
        if self._live is not None:
            self._live.update(line)
        else:
            self.say(line)
        self.pause()

    def pause(self) -> None:
        """Begin a new stretch of updates, after something else took time."""
        self._since = time.monotonic()
        self._loss = self._tokens = 0.0

    def validation(self, found: Validation, position: str, kept: bool) -> None:
        """Show a validation, and how the sample sentences fare."""
        mark = "  (best so far, kept)" if kept else ""
        self.say(f"{position}  dev loss {found.loss:.3f}  perplexity {_perplexity(found.loss)}  {_score(found)}{mark}")
        for source, translation, reference in found.samples:
            self.say(f"    {source}\n      -> {translation}\n       = {reference}")


def _score(found: Validation) -> str:
    if found.metric == BITS:
        return f"{found.score:.3f} bits a character"
    return f"{found.metric} {shown(found.metric, found.score)}"


def _perplexity(loss: float) -> str:
    return f"{math.exp(min(loss, 50)):,.1f}"


def _clock(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
