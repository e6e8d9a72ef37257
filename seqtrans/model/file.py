"""The one file that a trained translator lives in: weights, configuration, subword models, history."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seqtrans.config import Config
from seqtrans.errors import DataError, UsageError
from seqtrans.model.container import read_sealed, write_sealed
from seqtrans.model.language_model import LanguageModel
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.model.shortlist import Shortlist, shortlist_from
from seqtrans.model.tagger import Tagger
from seqtrans.recurrent.cells import find_cell, is_custom
from seqtrans.recurrent.cells.base import without_initial_weights
from seqtrans.tasks import TASKS, TaskKind
from seqtrans.text.subwords import SubwordModel

KIND = "seqtrans model"
FORMAT = 1
"""Raised when this program could not read an older file."""

CELL_DIGEST = "cell"
"""The name of the SHA-256 of a user's cell, among those of the training data in the history."""

LENGTH_RATIO = "length_ratio"
"""The name, in the history, of the most target subwords a source subword, as a search is to limit them."""

SOURCE_SUBWORDS, TARGET_SUBWORDS = "subwords.source", "subwords.target"
"""The tensors of bytes that hold the subword models."""

Network = Seq2Seq | LanguageModel | Tagger


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
    """Which target subwords a source lets expect, where a translator has learned that."""

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
    def language_model(self) -> LanguageModel:
        """The network of a language model.

        Raises:
            UsageError: this is something else.
        """
        if not isinstance(self.network, LanguageModel):
            raise UsageError(f"this model is a {self.task.noun}, not a language model (`seqtrans train --task lm`)")
        return self.network

    @property
    def tagger(self) -> Tagger:
        """The network of a tagger.

        Raises:
            UsageError: this is something else.
        """
        if not isinstance(self.network, Tagger):
            raise UsageError(f"this model is a {self.task.noun}, not a tagger (`seqtrans train --task tag`)")
        return self.network

    def other_subwords(self, other: TrainedModel) -> str:
        """The side, source or target, on which another model has other subwords; nothing where it has the same."""
        for side in ("source", "target"):
            if getattr(self, f"{side}_subwords").digest != getattr(other, f"{side}_subwords").digest:
                return side
        return ""

    @property
    def length_ratio(self) -> float:
        """How many target subwords a source subword may have, a fixed number aside; 2 where training did not say."""
        ratio = self.history.get(LENGTH_RATIO)
        return ratio if isinstance(ratio, float) and 0 < ratio <= 1000 else 2.0

    @property
    def task(self) -> TaskKind:
        """What it is for."""
        return TASKS[self.config.model.task]


def build_network(config: Config, source: SubwordModel, target: SubwordModel) -> Network:
    """A network with fresh weights for these vocabularies; a language model has the target's alone."""
    if config.model.task == "lm":
        return LanguageModel(config.model, target.size)
    if config.model.task == "tag":
        return Tagger(config.model, source.size, target.size)
    return Seq2Seq(config.model, source.size, target.size, joint=source.digest == target.digest)


def fresh_model(config: Config, source: SubwordModel, target: SubwordModel) -> TrainedModel:
    """A model that is yet to be trained."""
    return TrainedModel(config, build_network(config, source, target), source, target)


def save_model(path: Path, model: TrainedModel, weights: dict[str, Tensor] | None = None) -> None:
    """Write a model; `weights` (such as their moving average) stand in for the network's own.

    Raises:
        StreamError: the file cannot be written.
    """
    tensors = dict(weights if weights is not None else weights_of(model.network))
    tensors |= dict(model.network.named_buffers())
    tensors |= subword_tensors(model.source_subwords, model.target_subwords)
    tensors |= {} if model.shortlist is None else model.shortlist.tensors()
    write_sealed(path, KIND, {"format": FORMAT, "config": model.config.to_dict(), "history": model.history}, tensors)


def load_model(path: Path) -> TrainedModel:
    """Read a model, trusting nothing in the file.

    Raises:
        StreamError: there is no such file, or it cannot be read.
        DataError: it is damaged, too new, or its parts do not fit each other.
        UsageError: it has a cell of a user, and that was not given.
    """
    document, tensors = read_sealed(path, KIND)
    if document.get("format") != FORMAT:
        raise DataError(f"{path}: has format {document.get('format')}; this program reads format {FORMAT}")
    try:
        config = Config().updated(document["config"], str(path))
        history = document["history"]
    except (KeyError, TypeError, AttributeError, UsageError) as error:
        raise DataError(f"{path}: holds no usable configuration: {error}") from None
    if is_custom(config.model.cell):
        find_cell(config.model.cell)  # which the user has to have given
    source, target = subwords_from(tensors, str(path))
    try:
        shortlist = shortlist_from(tensors, source.size, target.size)
    except ValueError:
        raise DataError(f"{path}: its shortlist does not fit its subwords") from None
    _check_sizes(config, source, target, tensors, str(path))
    try:
        with without_initial_weights():
            network = build_network(config, source, target)
    except UsageError as error:
        raise DataError(f"{path}: holds no usable configuration: {error}") from None
    places = [*network.named_parameters(), *network.named_buffers()]
    expected = {name: tensor.shape for name, tensor in places}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if expected != found:
        odd = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        raise DataError(f"{path}: tensor '{odd[0]}' does not fit the configuration")
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float32 or not torch.isfinite(tensor).all():
            raise DataError(f"{path}: tensor '{name}' holds values that are not finite 32-bit numbers")
    _adopt(network, tensors)
    if isinstance(network, LanguageModel) and network.cache is not None and not network.cache.is_sound():
        raise DataError(f"{path}: its cache has a share or sharpness out of range")
    return TrainedModel(config, network.eval(), source, target, history, shortlist)


def _check_sizes(
    config: Config, source: SubwordModel, target: SubwordModel, tensors: dict[str, Tensor], name: str
) -> None:
    """Refuse a configuration larger than the weights beside it, before a network of its size is built."""
    sizes = config.model
    known = {
        "target_embedding": (target.size, sizes.embedding),
        "decoder.readout.weight": (sizes.embedding, 2 * sizes.hidden),
    }
    if sizes.task == "lm":
        known = {"embedding": (target.size, sizes.embedding)}
        known["readout.weight" if sizes.tied_embeddings else "output_weight"] = (
            sizes.embedding if sizes.tied_embeddings else target.size,
            sizes.hidden,
        )
    if sizes.task == "tag":
        known = {
            "source_embedding": (source.size, sizes.embedding),
            "output_weight": (target.size, sizes.hidden),
        }
    for key, shape in known.items():
        if key not in tensors or tuple(tensors[key].shape) != shape:
            raise DataError(f"{name}: tensor '{key}' does not fit the configuration")
    cells = sizes.encoder_layers * sizes.encoder_transitions, sizes.decoder_layers * sizes.decoder_transitions
    if max(cells) > len(tensors):
        raise DataError(f"{name}: has fewer tensors than its configuration has layers")


def weights_of(network: Network) -> dict[str, Tensor]:
    """Every weight once, also where two places share it."""
    return dict(network.named_parameters())


def set_weights(network: Network, tensors: dict[str, Tensor]) -> None:
    """Copy weights in; names and shapes must fit."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(tensors[name])


def _adopt(network: Network, tensors: dict[str, Tensor]) -> None:
    """Make `tensors` the parameters and buffers of a network that has none yet, shared where they are shared."""
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    parameters = {name: nn.Parameter(tensor) for name, tensor in tensors.items()}
    for module in network.modules():
        for key, placeholder in list(module.named_parameters(recurse=False, remove_duplicate=False)):
            setattr(module, key, parameters[names[id(placeholder)]])
    for name, buffer in network.named_buffers():
        buffer.copy_(tensors[name])


def subword_tensors(source: SubwordModel, target: SubwordModel) -> dict[str, Tensor]:
    """Subword models as tensors of bytes; a joint one is stored once."""
    tensors = {SOURCE_SUBWORDS: torch.frombuffer(bytearray(source.proto), dtype=torch.uint8)}
    if target.digest != source.digest:
        tensors[TARGET_SUBWORDS] = torch.frombuffer(bytearray(target.proto), dtype=torch.uint8)
    return tensors


def subwords_from(tensors: dict[str, Tensor], name: str) -> tuple[SubwordModel, SubwordModel]:
    """Take the subword models out of `tensors`.

    Raises:
        DataError: they are missing or not subword models.
    """
    protos = [tensors.pop(key, None) for key in (SOURCE_SUBWORDS, TARGET_SUBWORDS)]
    if protos[0] is None or any(p is not None and p.dtype != torch.uint8 for p in protos):
        raise DataError(f"{name}: holds no subword model")
    source = SubwordModel(protos[0].numpy().tobytes(), name)
    return source, source if protos[1] is None else SubwordModel(protos[1].numpy().tobytes(), name)


def describe(model: TrainedModel) -> dict[str, Any]:
    """What a person, or a program, may want to know of a model, ready for JSON."""
    config = model.config.model
    foreign = model.task.foreign["model"]
    parts: dict[str, int] = {}
    for name, tensor in weights_of(model.network).items():
        part = name.split(".")[0]
        parts[part] = parts.get(part, 0) + tensor.numel()
    sides = (("source", model.source_subwords), ("target", model.target_subwords))
    return {
        "parameters": sum(parts.values()),
        "parameters_by_part": parts,
        "architecture": {key: value for key, value in asdict(config).items() if key not in foreign},
        "vocabulary": {side: {"type": s.type, "size": s.size, "sha256": s.digest} for side, s in sides},
        "joint_vocabulary": model.source_subwords.digest == model.target_subwords.digest,
        "history": model.history,
        "config": {key: value for key, value in model.config.to_dict().items() if key != "model"},
    }
