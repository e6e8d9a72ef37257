"""Tensors and a JSON document in one sealed safetensors file.

The file is loaded without running anything it holds. A SHA-256 over the document and every tensor's name,
type, shape and bytes is stored with it, so that a changed bit anywhere is found.
"""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from seqtrans.errors import DataError, StreamError
from seqtrans.text.files import atomic_output

MAX_HEADER = 16 << 20
"""Bytes; a header says how large it is, and is believed only up to here."""

_KEY = "seqtrans"


def write_sealed(path: Path, kind: str, document: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write a file whole or not at all; the same arguments give the same bytes.

    Raises:
        StreamError: it cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    body = {"kind": kind, "document": document}
    # one metadata key: safetensors writes several in no fixed order
    metadata = {_KEY: json.dumps({**body, "sha256": _digest(body, tensors)}, sort_keys=True)}
    with atomic_output(path) as stream:
        stream.write(save(tensors, metadata))


def read_sealed(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The document and the tensors of a file of this kind.

    Raises:
        StreamError: there is no such file, or it cannot be read.
        DataError: it is not a whole and unchanged file of this kind.
    """
    data = _bytes_of(path, kind)
    size = int.from_bytes(data[:8], "little")
    if len(data) < 10 or size > min(len(data) - 8, MAX_HEADER):
        raise DataError(f"{path}: is not a {kind}, or the file was cut short")
    try:
        metadata = json.loads(data[8 : 8 + size])["__metadata__"]
        if set(metadata) != {_KEY}:
            raise DataError(f"{path}: is not a {kind} made by seqtrans")
        sealed = json.loads(metadata[_KEY])
        digest, body = sealed.pop("sha256"), sealed
        if body["kind"] != kind or not isinstance(body["document"], dict):
            raise DataError(f"{path}: is a {body['kind']}, not a {kind}")
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DataError(f"{path}: is not a {kind}, or the file is damaged") from None
    if _digest(body, dict(sorted(tensors.items()))) != digest:
        raise DataError(f"{path}: the file is damaged: its SHA-256 does not fit its content; get a fresh copy")
    return body["document"], tensors


def _bytes_of(path: Path, kind: str) -> bytes:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise DataError(f"{path}: is not a file; a {kind} is one file")
        return path.read_bytes()
    except OSError as error:
        raise StreamError(f"{path}: cannot be read: {error.strerror}") from None


def _digest(body: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode())
    for name, tensor in tensors.items():
        digest.update(f"\n{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
