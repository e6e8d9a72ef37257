"""Training a language model, by backpropagation through time that is truncated (Williams & Peng 1990)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seqtrans.config import Config
from seqtrans.device import Compute
from seqtrans.model.file import fresh_model
from seqtrans.model.language_model import LanguageModel, LanguageState
from seqtrans.text.stream import Segment, Segments
from seqtrans.training.cache_fit import CacheFit
from seqtrans.training.objective import readouts_loss
from seqtrans.training.preparation import LanguageData
from seqtrans.training.validation import BITS, Validation

LONG_STREAM = 2048
"""Subwords; beside so many, the beginning without a past hardly counts."""
MOST_STREAMS = 64
VALIDATION_STEPS = 256


class LanguageTask:
    """A `Task` of a text that is read in streams, with the state carried from segment to segment."""

    def __init__(self, config: Config, data: LanguageData) -> None:
        self.config, self.data = config, data
        self.model = fresh_model(config, data.subwords, data.subwords)
        self.digests = data.digests
        self.segments = Segments(data.train, config.training.batch_size, config.training.bptt)
        self.epoch_steps = len(self.segments)
        self.size = f"{len(data.train):,} subwords in {self.segments.streams} streams"
        self._state: LanguageState | None = None

    def batch(self, epoch: int, number: int) -> Segment:
        """The segments of all streams at one place."""
        return self.segments.segment(number, self.segments.shift(self.config.training.seed, epoch))

    def loss(self, network: LanguageModel, batch: Segment, smoothing: float) -> tuple[Tensor, Tensor]:
        """Of all steps, going on from the segment before."""
        state = self._state
        streams = batch.inputs_TB.shape[1]
        if batch.first or state is None or len(state.layers[0][0]) != streams:  # --force may have brought another text
            state = network.start(streams)
        readouts, self._state = network.readouts(batch.inputs_TB, state)
        return readouts_loss(network, readouts, batch.outputs_TB, smoothing)

    def validate(self, compute: Compute, metric: str, check: Callable[[], None]) -> Validation:
        """The loss of the development text, read in as many streams as leave each of them long.

        What the cache does is fit to that text first.
        """
        network, dev = self.model.language_model.eval(), self.data.dev
        fit = None if network.cache is None else CacheFit(network.cache)
        long = max(LONG_STREAM, 2 * self.config.model.cache)  # so that the cache is full for the most part
        segments = Segments(dev, min(len(dev) // long, MOST_STREAMS), VALIDATION_STEPS)
        nats = 0.0
        state = network.start(segments.streams)
        with torch.no_grad():
            for number in range(len(segments)):
                check()
                segment = segments.segment(number, 0).to(compute.device)
                with compute.arithmetic():
                    readouts, state = network.readouts(segment.inputs_TB, state)
                    if fit is None:
                        nats += float(readouts_loss(network, readouts, segment.outputs_TB, 0.0)[1])
                    else:
                        fit.read(segment, readouts, network.logits)
        if fit is not None:
            nats = fit.choose()
        loss = nats / (segments.streams * segments.length)
        return Validation(loss, BITS, loss * len(dev) / dev.characters / math.log(2), [])

    def carried(self) -> list[Tensor]:
        """The state of each layer."""
        return [tensor for layer in (self._state.layers if self._state else ()) for tensor in layer]

    def carry(self, tensors: list[Tensor]) -> None:
        """Go on from a state."""
        rest = iter(tensors)
        network = self.model.language_model
        if not tensors:
            self._state = None
            return
        layers = network.start(1).layers
        self._state = LanguageState(tuple(tuple(next(rest).to(network.output_bias) for _ in s) for s in layers))

    def history(self) -> dict[str, Any]:
        """The length of the text, and what the cache was fit to."""
        cache = self.model.language_model.cache
        fit = {} if cache is None else {"cache": dict(zip(("share", "sharpness"), cache.chosen(), strict=True))}
        return {"training_subwords": len(self.data.train), "training_characters": self.data.train.characters, **fit}

    def where(self, batch: Segment) -> str:
        """Streams know no lines."""
        return "this segment of the text"
