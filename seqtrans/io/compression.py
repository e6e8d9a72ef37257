"""Compressed text, known by its first bytes: read as if it were not compressed, as soon as it arrives."""

from __future__ import annotations

import importlib
import io
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from seqtrans.errors import DataError

_BUFFER_BYTES = 1 << 16


class _Decompressor(Protocol):
    """Reads one member (gzip) or frame (zstd); a file may have several."""

    @property
    def eof(self) -> bool:
        """Whether it has ended."""

    @property
    def unused_data(self) -> bytes:
        """What was passed after its end."""

    def decompress(self, data: bytes, /) -> bytes:
        """What the next bytes give."""


@dataclass(frozen=True)
class _Format:
    name: str
    magic: bytes
    """How a compressed text begins."""
    piece: int
    """So many bytes are decompressed at once: whatever they are, they give at most some 8 MiB."""
    start: Callable[[str], _Decompressor]
    """A new decompressor; the argument is the stream's name."""


def _gzip(_name: str) -> _Decompressor:
    return zlib.decompressobj(wbits=31)


def _zstd(name: str) -> _Decompressor:
    """Raises `DataError` if nothing that decompresses zstd is installed."""
    try:
        if sys.version_info >= (3, 14):
            return cast(_Decompressor, importlib.import_module("compression.zstd").ZstdDecompressor())
        return cast(_Decompressor, importlib.import_module("zstandard").ZstdDecompressor().decompressobj())
    except ImportError:
        raise DataError(f"{name}: is compressed by zstd: run `pip install zstandard`, or use zstdcat") from None


_FORMATS = (_Format("gzip", b"\x1f\x8b", 1 << 13, _gzip), _Format("zstd", b"\x28\xb5\x2f\xfd", 1 << 8, _zstd))
MAGICS = tuple(form.magic for form in _FORMATS)
"""How compressed texts begin."""


def decompressed(source: io.RawIOBase | BinaryIO, name: str) -> BinaryIO:
    """The bytes of `source`, a stream called `name`, decompressed if they are compressed by gzip or zstd.

    A read waits for no more than it needs. Reading raises `DataError` if the compressed stream is damaged or cut short.
    The stream has the file descriptor of `source`, which is not closed with it.
    """
    return io.BufferedReader(_DecompressedStream(source, name), _BUFFER_BYTES)


class _DecompressedStream(io.RawIOBase):
    def __init__(self, source: io.RawIOBase | BinaryIO, name: str) -> None:
        self._source, self._name = source, name
        self._head = b""
        """The first bytes, until they show what the stream is."""
        self._is_known = False
        self._has_ended = False
        """Whether the source has ended while its first bytes were read."""
        self._format: _Format | None = None
        self._decompressor: _Decompressor | None = None
        """That of the member or frame which has begun; None between two."""
        self._compressed = b""
        self._text = memoryview(b"")
        """What was decompressed and not yet read."""

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        """The file descriptor of the source, by which one sees whether reading may block."""
        return self._source.fileno()

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        """Read at most as many bytes as the buffer takes; 0 at the end, None if nothing has arrived yet."""
        if not self._is_known and not self._recognise():
            return None
        if self._has_ended and not self._text and not self._compressed:
            return 0  # a terminal is not asked again, where a person would have to end the text again
        if self._format is None and not self._text:
            return cast("int | None", self._source.readinto(buffer))  # type: ignore[union-attr]
        while self._format is not None and not self._text:
            if not self._compressed:
                data = self._source.read(16 * self._format.piece)
                if data is None:
                    return None
                if not data:
                    self._check_end()
                    return 0
                self._compressed = data
            self._text = memoryview(self._decompress(self._format))
        count = min(len(buffer), len(self._text))
        buffer[:count] = self._text[:count]
        self._text = self._text[count:]
        return count

    def _recognise(self) -> bool:
        """Read until the first bytes show whether the stream is compressed. False if they have not arrived yet."""
        while any(form.magic.startswith(self._head) and self._head != form.magic for form in _FORMATS):
            data = self._source.read(_BUFFER_BYTES if not self._head else 1)
            if data is None:
                return False
            if not data:
                self._has_ended = True
                break
            self._head += data
            self._format = next((form for form in _FORMATS if self._head.startswith(form.magic)), None)
        self._is_known = True
        if self._format is None:
            self._text = memoryview(self._head)
        else:
            self._compressed = self._head
        self._head = b""
        return True

    def _decompress(self, form: _Format) -> bytes:
        """What the next piece of the compressed bytes gives."""
        if self._decompressor is None:
            if form.name == "gzip":  # a tape or a disk may have filled the file up with zeros
                self._compressed = self._compressed.lstrip(b"\0")
                if not self._compressed:
                    return b""
            self._decompressor = form.start(self._name)
        piece, self._compressed = self._compressed[: form.piece], self._compressed[form.piece :]
        try:
            text = self._decompressor.decompress(piece)
        except Exception as error:  # each library has an exception of its own for damaged data
            raise DataError(f"{self._name}: is damaged: what {form.name} compressed cannot be read ({error})") from None
        if self._decompressor.eof:
            self._compressed = self._decompressor.unused_data + self._compressed
            self._decompressor = None
        return text

    def _check_end(self) -> None:
        if self._decompressor is not None and self._format is not None:
            raise DataError(f"{self._name}: is damaged: what {self._format.name} compressed ends too early")
