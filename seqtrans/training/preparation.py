"""The data of a training, read from files: subwords, encoded pairs, the development text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqtrans.config.schema import TextConfig
from seqtrans.errors import UsageError
from seqtrans.model.shortlist import ALWAYS, LEAST_VOCABULARY, Shortlist
from seqtrans.text.corpus import WARN_SHARE, EncodedCorpus, ParallelText, encode_corpus, read_parallel
from seqtrans.text.lexicon import likeliest_translations, most_frequent
from seqtrans.text.stream import TextStream, read_text
from seqtrans.text.subword_training import MAX_VOCAB_SIZE, fitting_vocab_size, learn_subwords
from seqtrans.text.subwords import SUBWORD_TYPES, SubwordModel, SubwordType

_logger = logging.getLogger(__name__)

SUBWORD_DIGESTS = ("source subwords", "target subwords")
"""The names of the subword models among the digests of a training."""


@dataclass(frozen=True)
class TrainingData:
    """Sentence pairs for training and validation, and their subwords."""

    source_subwords: SubwordModel
    target_subwords: SubwordModel
    train: EncodedCorpus
    dev: EncodedCorpus
    dev_text: ParallelText
    digests: dict[str, str]
    """SHA-256 of each corpus file and subword model."""


@dataclass(frozen=True)
class LanguageData:
    """Texts for training and validation of a language model, and their subwords."""

    subwords: SubwordModel
    train: TextStream
    dev: TextStream
    digests: dict[str, str]
    """SHA-256 of each file and of the subword model."""


def prepare_language(
    train: Sequence[Path],
    dev: Sequence[Path],
    config: TextConfig,
    subwords: SubwordModel | None,
) -> LanguageData:
    """Read and encode both texts, learning subwords where none are given.

    Raises:
        DataError: a text is not UTF-8, or empty.
        StreamError: a file cannot be read.
    """
    train_text, dev_text = read_text(train), read_text(dev)
    if subwords is None:
        lines = train_text.lines
        subwords = _learn_one(lines, _type(config.target_type or config.type), config.vocab_size, len(lines))
        _logger.info(f"subwords: {subwords.size} of type {subwords.type}")
    streams = [TextStream.of(text.lines, subwords) for text in (train_text, dev_text)]
    for text, stream in zip((train_text, dev_text), streams, strict=True):
        _logger.info(
            f"{text.name}: {len(text.lines):,} lines, {len(stream):,} subwords, {stream.characters:,} characters"
        )
    digests = _named_digests(train_text.digests, dev_text.digests) | {SUBWORD_DIGESTS[1]: subwords.digest}
    return LanguageData(subwords, streams[0], streams[1], digests)


def prepare(
    train: Sequence[Path],
    dev: Sequence[Path],
    config: TextConfig,
    subwords: tuple[SubwordModel, SubwordModel] | None,
    *,
    aligned: bool = False,
) -> TrainingData:
    """Read and encode both corpora, learning subwords where none are given; see `encode_corpus` for `aligned`.

    Raises:
        UsageError: the corpora are to be `aligned` by subwords that are no `Tokens`.
        DataError: a corpus is not usable (see `read_parallel` and `encode_corpus`).
        StreamError: a file cannot be read.
    """
    train_text, dev_text = read_parallel(train), read_parallel(dev)
    source, target = subwords or _learn(train_text, config)
    encoded = []
    for text in (train_text, dev_text):
        corpus = encode_corpus(text, source, target, config.max_length, aligned=aligned)
        _logger.info(corpus.summary(text.name))
        if corpus.dropped_share() > WARN_SHARE:
            _logger.warning(f"{text.name}: {corpus.dropped_share():.0%} of the pairs were dropped")
        encoded.append(corpus)
    digests = _named_digests(train_text.digests, dev_text.digests)
    digests |= dict(zip(SUBWORD_DIGESTS, (source.digest, target.digest), strict=True))
    return TrainingData(source, target, encoded[0], encoded[1], dev_text, digests)


def learn_shortlist(data: TrainingData, count: int) -> Shortlist | None:
    """The likeliest target subwords of each source subword; None where `count` is 0 or a list would not save time."""
    source, target = data.source_subwords, data.target_subwords
    if not count or target.size < LEAST_VOCABULARY:
        return None
    _logger.info(f"shortlist: learning {count} translations of each of {source.size:,} source subwords")
    translations = likeliest_translations(data.train, source.size, target.size, count)
    if translations is None:
        _logger.info("shortlist: every pair is too long to learn one from")
        return None
    if source.digest == target.digest:  # a subword may be copied, as in names
        translations = np.column_stack([translations, np.arange(source.size, dtype=translations.dtype)])
    return Shortlist.of(translations, most_frequent(data.train.target, target.size, ALWAYS))


def _named_digests(train: dict[str, str], dev: dict[str, str]) -> dict[str, str]:
    """The digests of both texts' files, with names that say which text."""
    return {f"{text} {name}": d for text, files in (("train", train), ("dev", dev)) for name, d in files.items()}


def _learn(text: ParallelText, config: TextConfig) -> tuple[SubwordModel, SubwordModel]:
    """Subword models of the configured types, of a size fit to the corpus unless one is configured."""
    types = [_type(name) for name in (config.source_type or config.type, config.target_type or config.type)]
    pairs = len(text)
    if types[0] == types[1] and config.joint:
        model = _learn_one([*text.source, *text.target], types[0], config.vocab_size, pairs)
        _logger.info(f"subwords: {model.size} of type {types[0]}, learned from both sides")
        return model, model
    models = [
        _learn_one(lines, kind, config.vocab_size, pairs)
        for lines, kind in zip((text.source, text.target), types, strict=True)
    ]
    sided_models = zip(models, ("source", "target"), strict=True)
    sides = ", ".join(f"{model.size} of type {model.type} learned from the {side}" for model, side in sided_models)
    _logger.info(f"subwords: {sides}")
    return models[0], models[1]


def _type(name: str) -> SubwordType:
    for kind in SUBWORD_TYPES:
        if kind == name:
            return kind
    raise UsageError(f"subword type must be one of {', '.join(SUBWORD_TYPES)}, not '{name}'")


def _learn_one(lines: list[str], kind: SubwordType, size: int, pairs: int) -> SubwordModel:
    if size or kind in ("bpe", "unigram"):
        return learn_subwords(lines, kind, size or fitting_vocab_size(pairs))
    # no size to choose: all characters and all words, within a limit
    most = MAX_VOCAB_SIZE if kind == "char" else 16_000
    return learn_subwords(lines, kind, most, at_most=True)
