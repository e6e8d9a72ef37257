"""Training a translator or a tagger."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from seqtrans.config.schema import Config
from seqtrans.device import Compute
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.model.shortlist import Shortlist
from seqtrans.model.tagger import TaggerNetwork
from seqtrans.model.trained import LENGTH_RATIO, TrainedModel, fresh_model
from seqtrans.recurrent.cells.base import Cell
from seqtrans.search.options import DEFAULT_EXTRA
from seqtrans.text.batches import Batch, epoch_order, make_batch
from seqtrans.training.objective import batch_loss
from seqtrans.training.preparation import TrainingData
from seqtrans.training.validation import Validation, validate


class TranslationTask:
    """A `Task` for sentence pairs."""

    def __init__(
        self,
        config: Config,
        data: TrainingData,
        shortlist: Callable[[], Shortlist | None] = lambda: None,
        cell: type[Cell] | None = None,
    ) -> None:
        """Make the network; `shortlist` makes the one for its file, when the file is first written."""
        self.config, self.data = config, data
        fresh = fresh_model(config, data.source_subwords, data.target_subwords, cell)
        self.model = replace(fresh, history=self.history())  # validation reads the length limit
        self._make_shortlist = shortlist
        self.digests = data.digests
        self.epoch_steps = math.ceil(len(data.train) / config.training.batch_size)
        self.size = f"{len(data.train):,} pairs"
        self._orders: dict[int, list[NDArray[np.int64]]] = {}

    def batch(self, epoch: int, number: int) -> Batch:
        """Pairs of similar length."""
        if epoch not in self._orders:
            training = self.config.training
            self._orders = {epoch: epoch_order(self.data.train, training.batch_size, training.seed, epoch)}
        return make_batch(self.data.train, self._orders[epoch][number])

    def loss(self, network: Seq2Seq | TaggerNetwork, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor]:
        """The loss of the targets."""
        return batch_loss(network, batch, smoothing, self.config.training.bptt)

    def validate(self, compute: Compute, metric: str, check: Callable[[], None]) -> Validation:
        """The loss, and the score of greedy translations."""
        return validate(self.model, self.data, compute, metric, check)

    def carried(self) -> list[Tensor]:
        """Nothing: batches are independent."""
        return []

    def restore_carried(self, tensors: list[Tensor]) -> None:
        """Do nothing."""

    def model_to_save(self) -> TrainedModel:
        """The model with its shortlist."""
        if self.model.shortlist is None:
            self.model = replace(self.model, shortlist=self._make_shortlist())
            self._make_shortlist = lambda: None
        return self.model

    def history(self) -> dict[str, Any]:
        """The number of pairs, and the length limit of translations."""
        pairs = self.data.train
        return {"training_pairs": len(pairs), LENGTH_RATIO: pairs.length_ratio(DEFAULT_EXTRA)}

    def where(self, batch: Batch) -> str:
        """The line numbers of its pairs."""
        lines = self.data.train.kept[batch.pairs]
        return f"training lines {', '.join(map(str, sorted(lines.tolist())[:8]))}" + (", ..." if len(lines) > 8 else "")
