"""Subwords: text to ids and back, by a SentencePiece model."""

from __future__ import annotations

import hashlib
import math
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, cast, get_args

import sentencepiece

from seqtrans.errors import DataError, StreamError
from seqtrans.io.files import atomic_output

SubwordType = Literal["bpe", "unigram", "char", "word"]
SUBWORD_TYPES: tuple[SubwordType, ...] = get_args(SubwordType)

PAD_ID, UNK_ID, BOS_ID, EOS_ID = 0, 1, 2, 3
FIRST_PIECE_ID = 4
"""Ids below this one are special: every model here has these four, with these numbers."""

SPACE = "\u2581"
"""How SentencePiece writes a space: the mark that begins the first subword of a word."""

RESERVED = "\u2585"
"""A character that SentencePiece uses itself: it skips lines of a training text that hold it, so no subword has it."""

UNKNOWN_SURFACE = "\u2047"
"""The text of an unknown subword. It is visible, because a gap would go unnoticed."""

MAX_MODEL_BYTES = 64 << 20
"""Larger files are refused before they are read (64 MiB; a vocabulary of 32,000 takes under 1 MiB)."""

_NOT_TEXT = frozenset({PAD_ID, BOS_ID, EOS_ID})
_TYPE_NUMBERS: dict[int, SubwordType] = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_WORD = re.compile(f"{SPACE}?[^{SPACE}]+")

# Field numbers of sentencepiece_model.proto
_TRAINER_SPEC, _NORMALIZER_SPEC = 2, 3
_MODEL_TYPE, _VOCAB_SIZE, _WHITESPACE_AS_SUFFIX = 3, 4, 24


class SubwordModel:
    """A learned segmentation: `decode(encode(text))` equals `normalize(text)` if all its subwords are known.

    Normalisation makes runs of spaces one space, removes spaces at the ends, takes U+2581 for a space, and applies
    NFKC in a model that was learned with it. `decode_pieces(encode_pieces(text))` equals `normalize(text)` even with
    unknown subwords, since these keep their text.
    """

    def __init__(self, proto: bytes, name: str = "subword model") -> None:
        """Check and load the bytes of a SentencePiece model; messages call it `name`.

        Raises:
            DataError: the bytes are no SentencePiece model, or one that cannot be used here.
        """
        self.proto = bytes(proto)
        self.digest = hashlib.sha256(self.proto).hexdigest()
        """SHA-256 of the model's bytes, in hexadecimal."""
        self.type, size = _type_and_size(self.proto, name)
        """`type` is one of `SUBWORD_TYPES`."""
        self._processor = _processor_of(self.proto, name)
        self._pieces = _checked_pieces(self._processor, size, name)
        self._ids = {piece: number for number, piece in enumerate(self._pieces)}
        self._has_bytes = any(self._processor.is_byte(list(range(len(self._pieces)))))

    @classmethod
    def load(cls, path: Path | str) -> SubwordModel:
        """Read a model file.

        Raises:
            StreamError: the file does not exist or cannot be read.
            DataError: it is not a file, or not a subword model.
        """
        path = Path(path)
        try:
            if not path.is_file() and path.exists():
                raise DataError(f"{path}: not a file; a subword model is one file")
            if path.stat().st_size > MAX_MODEL_BYTES:
                raise DataError(f"{path}: not a subword model (over {MAX_MODEL_BYTES >> 20} MiB)")
            proto = path.read_bytes()
        except OSError as error:
            raise StreamError(f"{path}: cannot be read: {error.strerror}") from None
        return cls(proto, str(path))

    def save(self, path: Path | str) -> None:
        """Write a model file, whole or not at all.

        Raises:
            StreamError: it cannot be written.
        """
        with atomic_output(path) as stream:
            stream.write(self.proto)

    @property
    def size(self) -> int:
        """Number of ids, special ones included."""
        return len(self._pieces)

    def __len__(self) -> int:
        return self.size

    def encode(self, text: str) -> list[int]:
        """Subword ids of one line, without begin and end of sentence; blank text has none."""
        if self.type == "word":
            return [self.id_of(word) for word in self._words(text)]
        return cast(list[int], self._processor.encode(_plain(text), out_type=int))

    def encode_inside(self, text: str) -> list[int]:
        """Subword ids of text that follows other text without a space between them; for words, those of `encode`."""
        if self.type == "word":
            return self.encode(text)
        # SentencePiece puts a space before any text; before this character, which no subword has, it does no harm
        ids, pieces = self.encode(RESERVED + text), self.encode_pieces(RESERVED + text)
        before = [f"<0x{byte:02X}>" for byte in RESERVED.encode()] if self._has_bytes else [RESERVED]
        begin = int(pieces[:1] == [SPACE])
        if pieces[begin : begin + len(before)] == before:
            return ids[begin + len(before) :]
        if "".join(pieces[begin:]).startswith(RESERVED):  # unknown together with what follows
            return ids[begin:]
        return self.encode(text)  # a model from elsewhere, whose normalisation removes the character

    def encode_batch(self, texts: Sequence[str], *, threads: int = 0) -> list[list[int]]:
        """`encode` of each text, computed by `threads` threads; 0: see `default_threads`."""
        if self.type == "word":
            return [self.encode(text) for text in texts]
        lines = list(map(_plain, texts))
        return cast(
            list[list[int]], self._processor.encode(lines, out_type=int, num_threads=threads or default_threads())
        )

    def encode_pieces(self, text: str) -> list[str]:
        """Subwords of one line, one for each id of `encode`; unknown ones have the text that they stand for."""
        if self.type == "word":
            return self._words(text)
        return cast(list[str], self._processor.encode(_plain(text), out_type=str))

    def encode_pieces_batch(self, texts: Sequence[str], *, threads: int = 0) -> list[list[str]]:
        """`encode_pieces` of each text, computed by `threads` threads; 0: see `default_threads`."""
        if self.type == "word":
            return [self._words(text) for text in texts]
        lines = list(map(_plain, texts))
        return cast(
            list[list[str]], self._processor.encode(lines, out_type=str, num_threads=threads or default_threads())
        )

    def decode(self, ids: Sequence[int]) -> str:
        """Text of subword ids: padding, begin and end of sentence are skipped, unknown becomes U+2047.

        Raises:
            IndexError: an id that the vocabulary does not have.
        """
        unknown = SPACE + UNKNOWN_SURFACE if self.type == "word" else UNKNOWN_SURFACE
        return self.decode_pieces([unknown if i == UNK_ID else self.piece(i) for i in ids if i not in _NOT_TEXT])

    def decode_pieces(self, pieces: Sequence[str]) -> str:
        """Text of subwords; a string that is no piece of this model is taken as text."""
        if self._has_bytes:  # only SentencePiece can join <0xE2> and the like to characters
            text = cast(str, self._processor.decode_pieces(list(pieces)))
            return text.replace(SPACE, " ")
        return "".join(pieces).replace(SPACE, " ").removeprefix(" ")

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The subwords of ids; special ones have names such as <s>."""
        return [self.piece(i) for i in ids]

    def piece(self, number: int) -> str:
        """The subword of one id.

        Raises:
            IndexError: an id that the vocabulary does not have.
        """
        if number < 0:
            raise IndexError(f"subword id {number} is negative")
        return self._pieces[number]

    def id_of(self, piece: str) -> int:
        """The id of a subword in the form that `piece` returns; UNK if there is none."""
        return self._ids.get(piece, UNK_ID)

    def starts_word(self, number: int) -> bool:
        """Whether this subword begins a word; in a model of words the unknown one does too."""
        return self.piece(number).startswith(SPACE) or (self.type == "word" and number == UNK_ID)

    def normalize(self, text: str) -> str:
        """The normalised text, as the class describes it."""
        normalized = cast(str, self._processor.normalize(_plain(text)))
        return normalized.replace(SPACE, " ").removeprefix(" ")

    def _words(self, text: str) -> list[str]:
        """The words of a line. SentencePiece itself would merge neighbouring unknown words into one."""
        return _WORD.findall(cast(str, self._processor.normalize(_plain(text))))


def _plain(text: str) -> str:
    """`text` with spaces in place of U+2581, which SentencePiece would decode to a space in any case."""
    return text.replace(SPACE, " ")


def _processor_of(proto: bytes, name: str) -> sentencepiece.SentencePieceProcessor:
    sentencepiece.set_min_log_level(3)
    processor = sentencepiece.SentencePieceProcessor()
    try:
        processor.load_from_serialized_proto(proto)
    except (RuntimeError, ValueError, OSError):
        raise DataError(f"{name}: not a SentencePiece model, or a damaged one") from None
    return processor


def _checked_pieces(processor: sentencepiece.SentencePieceProcessor, size: int, name: str) -> list[str]:
    """All pieces, after checks that SentencePiece does not make when it loads a model."""
    if processor.get_piece_size() != size:
        raise DataError(f"{name}: a damaged subword model: {processor.get_piece_size()} subwords, not {size}")
    if size <= FIRST_PIECE_ID:
        raise DataError(f"{name}: a subword model with nothing but special subwords; learn it again")
    special = (processor.pad_id(), processor.unk_id(), processor.bos_id(), processor.eos_id())
    if special != (PAD_ID, UNK_ID, BOS_ID, EOS_ID):
        raise DataError(
            f"{name}: special ids pad, unk, bos, eos are {special}, not {(PAD_ID, UNK_ID, BOS_ID, EOS_ID)}; "
            "learn it with 'seqtrans tokenize learn', or with spm_train and these ids"
        )
    ids = list(range(size))
    try:
        pieces = processor.id_to_piece(ids)
        scores = processor.get_score(ids)
    except (RuntimeError, ValueError, UnicodeError):
        raise DataError(f"{name}: a damaged subword model: pieces that are not UTF-8") from None
    if len(set(pieces)) != size or not all(pieces):
        raise DataError(f"{name}: a damaged subword model: empty or repeated pieces")
    if not all(map(math.isfinite, scores)):
        raise DataError(f"{name}: a damaged subword model: scores that are not finite")
    return pieces


def _type_and_size(proto: bytes, name: str) -> tuple[SubwordType, int]:
    """The type and size with which the model was learned, which the SentencePiece processor does not report.

    The format has no end mark: a file cut off after any part can be loaded. So every part must be there, and the
    number of subwords must be the one that was learned.
    """
    try:
        parts = dict(_fields(proto))
        spec, _ = dict(_fields(cast(bytes, parts[_TRAINER_SPEC]))), parts[_NORMALIZER_SPEC]
        subword_type, size = _TYPE_NUMBERS[cast(int, spec.get(_MODEL_TYPE, 1))], cast(int, spec[_VOCAB_SIZE])
    except (ValueError, IndexError, KeyError, TypeError):
        raise DataError(f"{name}: not a SentencePiece model, or a damaged one") from None
    if spec.get(_WHITESPACE_AS_SUFFIX):
        raise DataError(f"{name}: marks spaces at the end of words; learn it without that option")
    return subword_type, size


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a protocol buffer message, in order.

    Raises:
        ValueError, IndexError: the message is cut short or malformed.
    """
    position = 0
    while position < len(message):
        key, position = varint(message, position)
        match key & 7:
            case 0:
                value, position = varint(message, position)
                yield key >> 3, value
                continue
            case 1:
                length = 8
            case 5:
                length = 4
            case 2:
                length, position = varint(message, position)
            case wire_type:
                raise ValueError(f"wire type {wire_type}")
        if position + length > len(message):
            raise ValueError("cut short")
        yield key >> 3, message[position : position + length]
        position += length


def varint(message: bytes, position: int) -> tuple[int, int]:
    """A number of a protocol buffer message, and the position after it.

    Raises:
        ValueError, IndexError: the message is cut short or malformed.
    """
    value = 0
    for shift in range(0, 70, 7):
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("number too long")


def default_threads() -> int:
    """As many as torch has in this process, which `--threads` decides; -1, one per processor, without torch."""
    torch = sys.modules.get("torch")
    return -1 if torch is None else int(torch.get_num_threads())
