"""Tensors and a JSON document in one sealed safetensors file.

Loading a file runs no code from it. A SHA-256 over the document and every tensor's name, type, shape and bytes is
stored in the file, so that any changed bit is detected.
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

from seqtrans.errors import DataError, StreamError, excerpt
from seqtrans.io.content import check_model
from seqtrans.io.files import atomic_output

MAX_HEADER = 16 << 20
"""Bytes. A file states the size of its header; a larger one is refused before it is read."""
MAX_DEPTH = 32
"""Levels of lists and objects in a document; a deeper one is refused before anything recurses through it."""

_KEY = "seqtrans"


def write_sealed(path: Path, kind: str, document: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write a file whole or not at all; the same arguments give the same bytes.

    Raises:
        StreamError: it cannot be written.
    """
    # copies, since safetensors refuses tensors that share memory
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in sorted(tensors.items())}
    text = json.dumps({"kind": kind, "document": document}, sort_keys=True)
    # one metadata key: safetensors writes several in no fixed order
    metadata = {_KEY: f"{_digest(text, tensors)} {text}"}
    with atomic_output(path) as stream:
        stream.write(save(tensors, metadata))


def read_sealed(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The document and the tensors of a file of this kind.

    Raises:
        StreamError: there is no such file, or it cannot be read.
        DataError: it is not a whole and unchanged file of this kind, but a text, for example.
    """
    data, metadata = _contents(path, kind)
    try:
        if set(metadata) != {_KEY}:
            raise DataError(f"{path}: is not a {kind} made by seqtrans")
        digest, _, text = metadata[_KEY].partition(" ")
        body = json.loads(text)
        if body["kind"] != kind:
            raise DataError(f"{path}: is a {excerpt(body['kind'])}, not a {kind}")
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError, RuntimeError):
        raise DataError(f"{path}: is not a {kind}, or the file is damaged") from None
    if _digest(text, dict(sorted(tensors.items()))) != digest:
        raise DataError(f"{path}: the file is damaged: its SHA-256 does not fit its content; get a fresh copy")
    document = body.get("document")
    if not isinstance(document, dict) or _is_deeper(document, MAX_DEPTH):
        raise DataError(f"{path}: is not a {kind}")
    return document, tensors


def _contents(path: Path, kind: str) -> tuple[bytes, dict[str, str]]:
    """All bytes and the metadata of a safetensors file, after a check that its size is what its header says."""
    check_model(path, f"a {kind}")
    malformed = DataError(f"{path}: is not a {kind}, or the file was cut short")
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{path}: is not a file; a {kind} is one file")
        with path.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            if size > MAX_HEADER:
                raise malformed
            header = json.loads(stream.read(size))
            metadata = header.pop("__metadata__")
            end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
            if 8 + size + end != status.st_size:
                raise malformed
            stream.seek(0)
            return stream.read(), metadata
    except OSError as error:
        raise StreamError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise malformed from None


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in items)


def _digest(text: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode(errors="surrogatepass"))
    for name, tensor in tensors.items():
        digest.update(f"\n{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
