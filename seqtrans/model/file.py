"""The one file that a trained model lives in: weights, configuration, subword models, history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqtrans.config.schema import Config
from seqtrans.errors import DataError, SeqtransError, UsageError, excerpt
from seqtrans.io.container import read_sealed, write_sealed
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.model.shortlist import shortlist_from
from seqtrans.model.trained import CELL_DIGEST, DATA_DIGESTS, Network, TrainedModel, cell_count, network_of
from seqtrans.model.weights import weights_of
from seqtrans.recurrent.cells import find_cell, is_custom
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.custom import CustomCell, fitting_cell
from seqtrans.text.subwords import SubwordModel

KIND = "seqtrans model"
FORMAT = 1
"""Format version. Increment it when a change makes older files unreadable."""

SOURCE_SUBWORDS, TARGET_SUBWORDS = "subwords.source", "subwords.target"
"""The tensors of bytes that hold the subword models."""

CELL_NAME_LENGTH = 4096
"""The most characters of a cell's name; a user's cell is named by its path."""

MESSAGE_LENGTH = 200
"""The most characters of a message about the configuration, which may quote the file."""


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


def load_model(path: Path, cells: Sequence[CustomCell] = ()) -> TrainedModel:
    """Read a model, trusting nothing in the file.

    A model with a user's cell takes it from `cells`: see `fitting_cell`.

    Raises:
        StreamError: there is no such file, or it cannot be read.
        DataError: it is damaged, too new, or its parts do not fit each other.
        UsageError: it has a user's cell that is not among `cells`.
    """
    document, tensors = _read(path)
    config, history = _config_of(document, path), _history_of(document, path)
    custom = custom_cell(config, history, cells)
    source, target = subwords_from(tensors, str(path))
    try:
        shortlist = shortlist_from(tensors, source.size, target.size)
    except ValueError:
        raise DataError(f"{path}: its shortlist does not fit its subwords") from None
    network = _network_of(config, source, target, custom.kind if custom else None, tensors, path)
    return TrainedModel(config, network.eval(), source, target, history, shortlist)


def load_subwords(path: Path) -> tuple[SubwordModel, SubwordModel]:
    """The subword models of a model file, source and target; nothing else of it is used.

    Raises:
        StreamError: there is no such file, or it cannot be read.
        DataError: it is damaged, too new, or holds no subword models.
    """
    return subwords_from(_read(path)[1], str(path))


def trained_steps(path: Path) -> int | None:
    """The number of updates after which a model file was written; None if there is no undamaged model file."""
    try:
        document, _ = _read(path)
        steps = _history_of(document, path).get("steps")
    except SeqtransError:
        return None
    return steps if isinstance(steps, int) else None


def custom_cell(config: Config, history: Any, cells: Sequence[CustomCell]) -> CustomCell | None:
    """The user's cell that a model has; None if it has one of seqtrans.

    Raises:
        UsageError: it is not among `cells`, or several of them could be it.
    """
    if not is_custom(config.model.cell):
        return None
    cell = fitting_cell(config.model.cell, cell_digest(history), cells)
    if cell is None:
        find_cell(config.model.cell)  # which finds no user's cells: it raises the error that tells which flag to add
    return cell


def cell_digest(history: Any) -> str | None:
    """SHA-256 of the file of the user's cell that a model was trained with, where its history has it."""
    data = history.get(DATA_DIGESTS) if isinstance(history, dict) else None
    digest = data.get(CELL_DIGEST) if isinstance(data, dict) else None
    return digest if isinstance(digest, str) else None


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The document and the tensors of a model file."""
    document, tensors = read_sealed(path, KIND)
    if (number := document.get("format")) != FORMAT:
        raise DataError(f"{path}: has format {excerpt(number)}; this program reads format {FORMAT}")
    return document, tensors


def _config_of(document: dict[str, Any], path: Path) -> Config:
    try:
        config = Config.from_dict(document["config"], "config")
        if not config.model.cell.isprintable() or len(config.model.cell) > CELL_NAME_LENGTH:
            raise UsageError("the cell's name is too long, or has characters that cannot be printed")
    except (KeyError, TypeError, AttributeError, UsageError) as error:
        raise DataError(f"{path}: holds no usable configuration: {excerpt(error, MESSAGE_LENGTH)}") from None
    return config


def _history_of(document: dict[str, Any], path: Path) -> dict[str, Any]:
    history = document.get("history")
    if not isinstance(history, dict) or not isinstance(history.get(DATA_DIGESTS, {}), dict):
        raise DataError(f"{path}: holds no usable history of its training")
    return history


def _network_of(
    config: Config,
    source: SubwordModel,
    target: SubwordModel,
    cell: type[Cell] | None,
    tensors: dict[str, Tensor],
    path: Path,
) -> Network:
    if cell_count(config.model) > len(tensors):  # a small file must not make us build a huge network
        raise DataError(f"{path}: has fewer tensors than its configuration has cells")
    try:
        network = network_of(config, source, target, tensors, cell)
    except UsageError as error:
        if cell is not None:  # the fault is in the user's cell, not in the model file
            raise
        raise DataError(f"{path}: holds no usable configuration: {excerpt(error, MESSAGE_LENGTH)}") from None
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise DataError(f"{path}: tensor '{name}' holds values that are not finite")
    if isinstance(network, LanguageNetwork) and network.cache is not None and not network.cache.is_sound():
        raise DataError(f"{path}: its cache has a share or sharpness out of range")
    return network


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
