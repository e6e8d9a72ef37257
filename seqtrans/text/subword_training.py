"""Learning a subword model from lines of text: every character kept, and whatever is dropped is logged."""

from __future__ import annotations

import io
import logging
import math
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, get_args

import sentencepiece

from seqtrans.errors import DataError, UsageError
from seqtrans.text.subwords import (
    BOS_ID,
    EOS_ID,
    FIRST_PIECE_ID,
    PAD_ID,
    RESERVED,
    SPACE,
    SUBWORD_TYPES,
    UNK_ID,
    SubwordModel,
    SubwordType,
    default_threads,
    varint,
)

_logger = logging.getLogger(__name__)

Normalization = Literal["identity", "nfkc"]
NORMALIZATIONS: tuple[Normalization, ...] = get_args(Normalization)

MAX_VOCAB_SIZE = 1_000_000

MAX_CHARACTERS = 100_000_000
"""Text beyond this is thinned evenly: after a million lines the statistics of subwords change little, and
SentencePiece takes some 25 bytes of memory per character for unigram, 12 for bpe."""

_FIRST_FIELD = 0x0A
"""How field 1 of a protocol buffer message begins, if it is a text or a message."""

_CONTROLS = "\x01\x02\x03\x04\x05\x06\x07\x08"

_CHUNK_CHARACTERS = 4000
"""Longer lines go in several parts: SentencePiece skips long lines, and fails at words of over 65,535 characters."""

# Results depend on the number of threads, which the model records, so it is the same on every machine.
_THREADS = 4

_CHUNKS = re.compile(rf".{{1,{_CHUNK_CHARACTERS}}}(?: |$)|.{{1,{_CHUNK_CHARACTERS}}}", re.DOTALL)
_NOT_FOR_TRAINING = str.maketrans({"\0": " ", "\n": " ", "\r": " ", SPACE: " ", RESERVED: " "})


def fitting_vocab_size(pairs: int) -> int:
    """A vocabulary size that suits a corpus of `pairs` sentence pairs: 25 * sqrt(pairs), but 200 to 16,000.

    A small corpus shows each subword of a large vocabulary too rarely to learn its embedding, and does better
    with a small one (Sennrich & Zhang 2019, "Revisiting Low-Resource Neural Machine Translation"). Below 200
    the alphabet takes most places; above 16,000 the output layer costs more than it brings.
    """
    return min(max(round(25 * math.sqrt(max(pairs, 0))), 200), 16_000)


def learn_subwords(
    lines: Iterable[str],
    subword_type: SubwordType = "bpe",
    vocab_size: int = 4000,
    *,
    normalization: Normalization = "identity",
    byte_fallback: bool = False,
    at_most: bool = False,
) -> SubwordModel:
    """Learn a model from lines of text; the same lines and options give the same bytes.

    `vocab_size` counts the four special subwords. It is lowered where the text has fewer subwords, which is logged
    unless the size is meant as a limit (`at_most`), and raised where the characters alone need more. `byte_fallback`
    spells unknown characters in UTF-8 bytes (256 ids more). While SentencePiece works, signals end the process
    at once: there is nothing to save, and Python handles signals only after C++ returns.

    Raises:
        DataError: there is no text.
        UsageError: an invalid size, type or normalisation, or byte fallback for a type that has none.
    """
    if subword_type not in SUBWORD_TYPES:
        raise UsageError(f"subword type {subword_type!r}: choose one of {', '.join(SUBWORD_TYPES)}")
    if normalization not in NORMALIZATIONS:
        raise UsageError(f"normalization {normalization!r}: choose one of {', '.join(NORMALIZATIONS)}")
    if not FIRST_PIECE_ID < vocab_size <= MAX_VOCAB_SIZE:
        raise UsageError(f"vocabulary size {vocab_size}: choose {FIRST_PIECE_ID + 1} to {MAX_VOCAB_SIZE}")
    if byte_fallback and subword_type not in ("bpe", "unigram"):
        raise UsageError(f"byte fallback is for bpe and unigram, not for {subword_type}")

    text = _collect(lines, normalization)
    if not text.characters:
        raise DataError("no text to learn subwords from: every line is empty")
    if text.reserved:
        _logger.warning(f"{text.reserved} line(s) hold U+2585, which SentencePiece reserves; it will stay unknown")
    if text.stride > 1:
        _logger.info(
            f"more than {MAX_CHARACTERS} characters: learning from every {text.stride}th of "
            f"{text.lines} lines, and from the characters of all"
        )

    size = max(vocab_size, _smallest_size(text, subword_type, byte_fallback))
    if size > vocab_size:
        _logger.info(f"vocabulary size {vocab_size} is too small for the characters of this text: {size} taken")
    model = SubwordModel(_train(text, subword_type, size, normalization, byte_fallback))
    if model.size < size and not at_most:
        _logger.info(f"vocabulary size {vocab_size} is more than this text gives: {model.size} taken")
    return model


@dataclass
class _Text:
    """The text to learn from: all lines or, past `MAX_CHARACTERS`, every `stride`th of them."""

    kept: list[str] = field(default_factory=list)
    stride: int = 1
    lines: int = 0
    reserved: int = 0
    """How many lines hold `RESERVED`."""
    characters: set[str] = field(default_factory=set)
    """Every character of all lines, also of those that are not kept; no spaces."""


def _collect(lines: Iterable[str], normalization: Normalization) -> _Text:
    """Read all lines here, because SentencePiece turns what an iterator raises into errors of its own."""
    normalize = _normalizer(normalization)
    text = _Text()
    characters_kept = 0
    for line in lines:
        text.reserved += RESERVED in line
        line = normalize(line.translate(_NOT_FOR_TRAINING))
        text.characters.update(line)
        if text.lines % text.stride == 0:
            text.kept.append(line)
            characters_kept += len(line)
        text.lines += 1
        if characters_kept > MAX_CHARACTERS and len(text.kept) > 1:
            text.kept = text.kept[::2]
            text.stride *= 2
            characters_kept = sum(map(len, text.kept))
    text.characters -= {" "}
    return text


def _normalizer(normalization: Normalization) -> Callable[[str], str]:
    if normalization == "identity":
        return str
    rules = sentencepiece.SentencePieceNormalizer(
        rule_name=normalization, escape_whitespaces=False, add_dummy_prefix=False
    )
    return lambda line: str(rules.normalize(line))


def _smallest_size(text: _Text, subword_type: SubwordType, byte_fallback: bool) -> int:
    """The size of a vocabulary that just holds every character and the space; one of words may leave words out."""
    if subword_type == "word":
        return FIRST_PIECE_ID + 1
    return FIRST_PIECE_ID + len(text.characters) + 1 + (256 if byte_fallback else 0)


def _chunks(lines: Iterable[str]) -> Iterator[str]:
    """Lines no longer than SentencePiece takes, cut at a space where there is one."""
    for line in lines:
        if len(line) <= _CHUNK_CHARACTERS:
            yield line
        else:
            yield from _CHUNKS.findall(line)


def _train(text: _Text, subword_type: SubwordType, size: int, normalization: str, byte_fallback: bool) -> bytes:
    writer = io.BytesIO()
    # SentencePiece leaves out the letters of <s>, <unk> and the like. Words and characters are learned with something
    # else for <; of other types, <s> might become a piece that way, so that characters are required. They also are
    # if lines were left out, since rare ones may be missing in the others. Else no list is needed in the model.
    stand_in = _stand_in(text) if subword_type in ("word", "char") else ""
    is_marked = "<" in text.characters and subword_type in ("bpe", "unigram")
    required = "".join(sorted(text.characters)) if text.stride > 1 or is_marked else ""
    lines = (line.replace("<", stand_in) for line in text.kept) if stand_in else text.kept
    try:
        with _signals_end_the_process(), _on_processors(default_threads()):
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=_chunks(lines),
                model_writer=writer,
                model_type=subword_type,
                vocab_size=size,
                hard_vocab_limit=False,
                character_coverage=1.0,
                required_chars=required,
                normalization_rule_name=normalization,
                byte_fallback=byte_fallback,
                max_sentence_length=4 * _CHUNK_CHARACTERS + 1,
                num_threads=_THREADS,
                minloglevel=3,
                pad_id=PAD_ID,
                unk_id=UNK_ID,
                bos_id=BOS_ID,
                eos_id=EOS_ID,
            )
    except RuntimeError as error:
        reason = str(error).rpartition("] ")[2].strip() or str(error)
        raise DataError(f"SentencePiece cannot learn a {subword_type} model from this text: {reason}") from None
    return _with_marks(writer.getvalue(), stand_in) if stand_in else writer.getvalue()


def _stand_in(text: _Text) -> str:
    """A character of one byte that is not in the text, for `<`, with which the names of special subwords begin.

    SentencePiece would break words there. "" if there is no `<`, or all such characters are in the text.
    """
    return next((c for c in _CONTROLS if c not in text.characters), "") if "<" in text.characters else ""


def _with_marks(proto: bytes, stand_in: str) -> bytes:
    """A model whose pieces have `<` for the character that stood for it; both have one byte, so no length changes."""
    data, position = bytearray(proto), 0
    while proto[position] == _FIRST_FIELD:  # a model begins with its pieces, and a piece with its text
        length, start = varint(proto, position + 1)
        size, text = varint(proto, start + 1)
        data[text : text + size] = proto[text : text + size].replace(stand_in.encode(), b"<")
        position = start + length
    return bytes(data)


@contextmanager
def _on_processors(number: int) -> Iterator[None]:
    """Let threads that begin here share so many processors, where the system lets a thread choose, as Linux does.

    What SentencePiece learns depends on its number of threads, so that stays the same, and the processors are limited
    instead. 0 and less: all processors.
    """
    if sys.platform != "linux" or not 0 < number < len(every := sorted(os.sched_getaffinity(0))):
        yield
        return
    first = os.getpid()  # so that two trainings hardly choose the same
    chosen = [every[(first + place * len(every) // number) % len(every)] for place in range(number)]
    with suppress(OSError):  # some containers forbid it
        os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, every)


@contextmanager
def _signals_end_the_process() -> Iterator[None]:
    """Give the signals that end a command their default effect, as Python's handlers run only after C++ returns."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    before = {number: handler for number, handler in before.items() if callable(handler)}  # ignored stays ignored
    for number in before:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
