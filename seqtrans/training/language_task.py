"""Training a language model with truncated backpropagation through time (Williams & Peng 1990)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seqtrans.config.schema import Config
from seqtrans.device import Compute
from seqtrans.model.language_model import LanguageNetwork, LanguageState
from seqtrans.model.trained import TrainedModel, fresh_model
from seqtrans.recurrent.cells.base import Cell
from seqtrans.text.stream import Segment, Segments
from seqtrans.training.cache_fit import CacheFit
from seqtrans.training.objective import readouts_loss
from seqtrans.training.preparation import LanguageData
from seqtrans.training.validation import BITS, Validation

LONG_STREAM = 2048
"""Subwords of a validation stream; in one this long, its beginning without context hardly counts."""
MAX_STREAMS = 64
VALIDATION_STEPS = 256


class LanguageTask:
    """A `Task` for a text that is read in streams; the state is carried from segment to segment."""

    def __init__(self, config: Config, data: LanguageData, cell: type[Cell] | None = None) -> None:
        self.config, self.data = config, data
        self.model = fresh_model(config, data.subwords, data.subwords, cell)
        self.digests = data.digests
        self.segments = Segments(data.train, config.training.batch_size, config.training.bptt)
        self.epoch_steps = len(self.segments)
        self.size = f"{len(data.train):,} subwords in {self.segments.streams} streams"
        self._state: LanguageState | None = None

    def batch(self, epoch: int, number: int) -> Segment:
        """The same part of every stream."""
        return self.segments.segment(number, self.segments.shift(self.config.training.seed, epoch))

    def loss(self, network: LanguageNetwork, batch: Segment, smoothing: float) -> tuple[Tensor, Tensor]:
        """The loss of all steps, with the state after the previous segment as their initial state."""
        state = self._state
        streams = batch.inputs_TB.shape[1]
        if batch.first or state is None or len(state.layers[0][0]) != streams:  # with --force the text may have changed
            state = network.start(streams)
        readouts, self._state = network.readouts(batch.inputs_TB, state)
        return readouts_loss(network, readouts, batch.outputs_TB, smoothing)

    def validate(self, compute: Compute, metric: str, check: Callable[[], None]) -> Validation:
        """The loss of the development text, read in streams of `LONG_STREAM` subwords or more.

        The cache is fitted to that text first.
        """
        network, dev = self.model.language_model.eval(), self.data.dev
        fit = None if network.cache is None else CacheFit(network.cache)
        long = max(LONG_STREAM, 2 * self.config.model.cache)  # so that the cache is full for the most part
        segments = Segments(dev, min(len(dev) // long, MAX_STREAMS), VALIDATION_STEPS)
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
        """The state of each layer after the last batch."""
        return [tensor for layer in (self._state.layers if self._state else ()) for tensor in layer]

    def restore_carried(self, tensors: list[Tensor]) -> None:
        """Restore the state that `carried` returned."""
        rest = iter(tensors)
        network = self.model.language_model
        if not tensors:
            self._state = None
            return
        layers = network.start(1).layers
        self._state = LanguageState(tuple(tuple(next(rest).to(network.output_bias) for _ in s) for s in layers))

    def model_to_save(self) -> TrainedModel:
        """The model as it is."""
        return self.model

    def history(self) -> dict[str, Any]:
        """The length of the text, and the settings of the cache."""
        cache = self.model.language_model.cache
        fit = {} if cache is None else {"cache": dict(zip(("share", "sharpness"), cache.chosen(), strict=True))}
        return {"training_subwords": len(self.data.train), "training_characters": self.data.train.characters, **fit}

    def where(self, batch: Segment) -> str:
        """Segments have no line numbers."""
        return "this segment of the text"
