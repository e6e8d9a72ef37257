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
from seqtrans.model.weights import assign, copy_into, first_meta_tensor, first_mismatch
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.seeding import seeded_weights
from seqtrans.text.subwords import SubwordModel

DATA_DIGESTS = "data"
"""History key of the SHA-256 digests of the training data."""

CELL_DIGEST = "cell"
"""Key, among these digests, of the SHA-256 of a user's cell file."""

LENGTH_RATIO = "length_ratio"
"""History key of the length ratio: the most target subwords per source subword that a search allows."""

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
            UsageError: the model is not a translator.
        """
        if not isinstance(self.network, Seq2Seq):
            uses = " or ".join(f"`seqtrans {command}`" for command in self.task.commands)
            raise UsageError(f"this model is a {self.task.noun}, not a translator; use {uses}")
        return self.network

    @property
    def language_model(self) -> LanguageNetwork:
        """The network of a language model.

        Raises:
            UsageError: the model is not a language model.
        """
        if not isinstance(self.network, LanguageNetwork):
            raise UsageError(f"this model is a {self.task.noun}, not a language model (`seqtrans train --task lm`)")
        return self.network

    @property
    def tagger(self) -> TaggerNetwork:
        """The network of a tagger.

        Raises:
            UsageError: the model is not a tagger.
        """
        if not isinstance(self.network, TaggerNetwork):
            raise UsageError(f"this model is a {self.task.noun}, not a tagger (`seqtrans train --task tag`)")
        return self.network

    def differing_side(self, other: TrainedModel) -> str:
        """The first side, "source" or "target", on which the subwords of two models differ; "" if they do not."""
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

    `cell` overrides the cell class that `config` names.
    """
    if config.model.task == "lm":
        return LanguageNetwork(config.model, target.size, cell)
    if config.model.task == "tag":
        return TaggerNetwork(config.model, source.size, target.size, cell)
    return Seq2Seq(config.model, source.size, target.size, joint=source.digest == target.digest, cell=cell)


def fresh_model(
    config: Config, source: SubwordModel, target: SubwordModel, cell: type[Cell] | None = None
) -> TrainedModel:
    """A model that is yet to be trained; `cell` overrides the cell class that `config` names.

    Raises:
        UsageError: with this user's cell the model could not be loaded after its training.
    """
    if cell is not None:
        _meta_network(config, source, target, cell)
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
    """A network of which `tensors` are the parameters and buffers; `cell` overrides the cell class that `config` names.

    It is made on torch's meta device, where sizes cost nothing, and gets memory only if the tensors fit it.

    Raises:
        DataError: a tensor does not fit the configuration; the message does not name the file.
        UsageError: the configuration names an unknown cell or attention, or a user's cell does not work.
    """
    network = _meta_network(config, source, target, cell)
    if (name := first_mismatch(network, tensors)) is not None:
        raise DataError(f"tensor '{excerpt(name)}' does not fit the configuration")
    assign(network, tensors)
    if first_meta_tensor(network) is None:
        return network
    # a user's cell has tensors that are neither parameters nor buffers; it makes them with values on the processor
    with seeded_weights(0):  # leaves torch's global generator unchanged
        network = build_network(config, source, target, cell)
    copy_into(network, tensors)
    if (name := first_meta_tensor(network)) is not None:
        raise UsageError(f"cell '{config.model.cell}' leaves '{name}' on the meta device, without values")
    return network


def _meta_network(config: Config, source: SubwordModel, target: SubwordModel, cell: type[Cell] | None) -> Network:
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
