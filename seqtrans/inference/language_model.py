"""Trained language models: scoring text and generating text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Unpack

from seqtrans.device import Compute
from seqtrans.inference.generation import GenerationOptions, GenerationSettings, generated_lines
from seqtrans.inference.perplexity import Likelihood, TextScorer
from seqtrans.io.lines import list_of_lines
from seqtrans.model.trained import TrainedModel


class LanguageModel:
    """A trained language model on a device."""

    def __init__(self, model: TrainedModel, compute: Compute) -> None:
        """Move a model to the device of `compute`. It must not be trained afterwards.

        Raises:
            UsageError: the model is not a language model.
        """
        self.model, self.compute = model, compute
        self.network = model.language_model.eval().to(compute.device)

    def score(self, lines: Sequence[str], *, alone: bool = False) -> list[Likelihood]:
        """The likelihood of each line of a text given all lines before it or, with `alone`, given no other line.

        Raises:
            UsageError: the lines are one string.
        """
        return list(TextScorer(self.model, self.compute, alone).score(list_of_lines(lines)))

    def generate(
        self, options: GenerationOptions | None = None, **settings: Unpack[GenerationSettings]
    ) -> Iterator[str]:
        """Generate lines of one text, each given the lines before it; options are one object or keyword arguments.

        Raises:
            UsageError: a value is out of range.
        """
        return generated_lines(self.model, self.compute, options or GenerationOptions(**settings))
