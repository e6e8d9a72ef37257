"""Random text from a language model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor

from seqtrans.config.binding import bounded, validate
from seqtrans.device import Compute
from seqtrans.errors import UsageError
from seqtrans.io.lines import without_breaks
from seqtrans.model.trained import TrainedModel
from seqtrans.search.sampling import Sampling, draw
from seqtrans.text.subwords import EOS_ID


@dataclass(frozen=True)
class GenerationOptions:
    """What text to generate, and how to draw it.

    Raises:
        UsageError: a value is out of range, or the prompt has several lines.
    """

    lines: int = bounded(10, 0)
    """Number of lines."""
    prompt: str = ""
    """The beginning of the first line."""
    temperature: float = bounded(1.0, 0, 100)
    """Scores are divided by it: below 1 likely subwords become likelier; 0 takes the likeliest."""
    top_k: int = bounded(0, 0)
    """Draw from this many likeliest subwords; 0: from all."""
    top_p: float = bounded(1.0, 1e-9, 1)
    """Draw from the likeliest subwords that together have this probability."""
    max_length: int = bounded(1000, 1)
    """A line ends after this many subwords, the prompt not counted."""
    seed: int = bounded(1, 0, 2**63 - 1)
    """The same seed draws the same text."""

    def __post_init__(self) -> None:
        validate(self)
        if "\n" in self.prompt:
            raise UsageError("prompt is the beginning of one line: leave out its line breaks")

    @property
    def sampling(self) -> Sampling:
        """How the next subword is drawn."""
        return Sampling(self.temperature, self.top_k, self.top_p, self.seed)


class GenerationSettings(TypedDict, total=False):
    """The fields of `GenerationOptions` as keyword arguments."""

    lines: int
    prompt: str
    temperature: float
    top_k: int
    top_p: float
    max_length: int
    seed: int


def generated_lines(model: TrainedModel, compute: Compute, options: GenerationOptions) -> Iterator[str]:
    """Lines of one text; each is drawn given the lines before it. The first begins with the prompt.

    Raises:
        UsageError: the model is not a language model.
    """
    network = model.language_model.eval().to(compute.device)
    generator = torch.Generator().manual_seed(options.seed)
    prompt = model.target_subwords.encode(options.prompt) if options.prompt else []
    state = network.start(1)
    last = EOS_ID  # a text starts with EOS, like every later line
    with torch.no_grad(), compute.arithmetic():
        for number in range(options.lines):
            ids: list[int] = []
            prefix = prompt if number == 0 else []
            while len(ids) < len(prefix) + options.max_length:
                log_probs, state = network.predict(torch.tensor([[last]], device=compute.device), state)
                last = (
                    prefix[len(ids)] if len(ids) < len(prefix) else _draw_id(log_probs[0], options.sampling, generator)
                )
                if last == EOS_ID:
                    break
                ids.append(last)
            else:  # the line reached its limit: the network has not yet read its last subword
                _, state = network.predict(torch.tensor([[last]], device=compute.device), state)
            last = EOS_ID
            yield without_breaks(model.target_subwords.decode(ids))


def _draw_id(log_probs_1V: Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    return int(draw(log_probs_1V, sampling, torch.rand(1, dtype=torch.float64, generator=generator)))
