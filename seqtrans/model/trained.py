"""A trained model: the network, its configuration, the subword models, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from seqtrans.config.schema import Config, ModelConfig
from seqtrans.config.tasks import TASKS, TaskKind
from seqtrans.errors import DataError, SeqtransError, UsageError, excerpt
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.model.shortlist import Shortlist
from seqtrans.model.tagger import TaggerNetwork
from seqtrans.model.weights import assign, copy_into, misfit, without_values
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.seeding import seeded_weights
from seqtrans.text.subwords import SubwordModel

DATA_DIGESTS = "data"
"""The name, in the history, of the SHA-256 digests of the training data."""

CELL_DIGEST = "cell"
"""The name of the SHA-256 of a user's cell, among those of the training data."""

LENGTH_RATIO = "length_ratio"
"""The name, in the history, of the most target subwords a source subword, to which a search limits itself."""

Network = Seq2Seq | LanguageNetwork | TaggerNetwork


@dataclass(frozen=True)
class TrainedModel:
    """A translator, tagger or language model and everything needed to use it."""

    config: Config
    network: Network
    source_subwords: SubwordModel
    target_subwords: SubwordModel
    history: dict[str, Any] = field(default_factory=dict)
    """Where it comes from: training data hashes, steps, development scores, versions."""
    shortlist: Shortlist | None = None
    """The likely target subwords of each source subword, where a translator has learned them."""

    @property
    def seq2seq(self) -> Seq2Seq:
        """The network of a translator.

        Raises:
            UsageError: this is something else.
        """
        if not isinstance(self.network, Seq2Seq):
            uses = " or ".join(f"`seqtrans {command}`" for command in self.task.commands)
            raise UsageError(f"this model is a {self.task.noun}, not a translator; use {uses}")
        return self.network

    @property
    def language_model(self) -> LanguageNetwork:
        """The network of a language model.

        Raises:
            UsageError: this is something else.
        """
        if not isinstance(self.network, LanguageNetwork):
            raise UsageError(f"this model is a {self.task.noun}, not a language model (`seqtrans train --task lm`)")
        return self.network

    @property
    def tagger(self) -> TaggerNetwork:
        """The network of a tagger.

        Raises:
            UsageError: this is something else.
        """
        if not isinstance(self.network, TaggerNetwork):
            raise UsageError(f"this model is a {self.task.noun}, not a tagger (`seqtrans train --task tag`)")
        return self.network

    def other_subwords(self, other: TrainedModel) -> str:
        """The side, source or target, on which the subwords of both models differ; empty where they are the same."""
        for side in ("source", "target"):
            if getattr(self, f"{side}_subwords").digest != getattr(other, f"{side}_subwords").digest:
                return side
        return ""

    @property
    def length_ratio(self) -> float:
        """How many target subwords a search allows for each source subword; 2 where training did not measure it."""
        ratio = self.history.get(LENGTH_RATIO)
        return ratio if isinstance(ratio, float) and 0 < ratio <= 1000 else 2.0

    @property
    def task(self) -> TaskKind:
        """What it is for."""
        return TASKS[self.config.model.task]


def build_network(
    config: Config, source: SubwordModel, target: SubwordModel, cell: type[Cell] | None = None
) -> Network:
    """A network with fresh weights for these vocabularies; a language model has the target's alone.

    Its cells are of the class `cell`, which is by default that of the configuration.
    """
    if config.model.task == "lm":
        return LanguageNetwork(config.model, target.size, cell)
    if config.model.task == "tag":
        return TaggerNetwork(config.model, source.size, target.size, cell)
    return Seq2Seq(config.model, source.size, target.size, joint=source.digest == target.digest, cell=cell)


def fresh_model(
    config: Config, source: SubwordModel, target: SubwordModel, cell: type[Cell] | None = None
) -> TrainedModel:
    """A model that is yet to be trained.

    Raises:
        UsageError: it has a user's cell with which it could not be loaded after its training.
    """
    if cell is not None:
        _network_without_values(config, source, target, cell)
    return TrainedModel(config, build_network(config, source, target, cell), source, target)


def cell_count(config: ModelConfig) -> int:
    """How many recurrent cells a network of this configuration has."""
    encoder = 2 * config.encoder_layers * config.encoder_transitions  # in two directions
    decoder = config.decoder_layers * config.decoder_transitions
    return {"lm": decoder, "tag": encoder}.get(config.task, encoder + decoder)


def network_of(
    config: Config,
    source: SubwordModel,
    target: SubwordModel,
    tensors: Mapping[str, Tensor],
    cell: type[Cell] | None = None,
) -> Network:
    """A network of which `tensors` are the parameters and buffers.

    It is made on torch's meta device, where sizes cost nothing, and gets memory only when the tensors fit it.

    Raises:
        DataError: a tensor does not fit the configuration; without the name of a file.
        UsageError: the configuration names a cell or an attention that there is not, or a user's cell does not work.
    """
    network = _network_without_values(config, source, target, cell)
    if (name := misfit(network, tensors)) is not None:
        raise DataError(f"tensor '{excerpt(name)}' does not fit the configuration")
    assign(network, tensors)
    if without_values(network) is None:
        return network
    # a user's cell has tensors that are neither parameters nor buffers; it makes them with values on the processor
    with seeded_weights(0):  # so that the random numbers of nobody else change
        network = build_network(config, source, target, cell)
    copy_into(network, tensors)
    if (name := without_values(network)) is not None:
        raise UsageError(f"cell '{config.model.cell}' leaves '{name}' on the meta device, without values")
    return network


def _network_without_values(
    config: Config, source: SubwordModel, target: SubwordModel, cell: type[Cell] | None
) -> Network:
    try:
        with torch.device("meta"):
            return build_network(config, source, target, cell)
    except SeqtransError:
        raise
    except Exception as error:  # whatever the user's code does
        if cell is None:
            raise
        raise UsageError(
            f"cell '{config.model.cell}' cannot be made on torch's meta device, where tensors have no values "
            f"and models are loaded ({type(error).__name__}: {excerpt(error)}); "
            "compute initial values from Python's numbers or with NumPy"
        ) from None
