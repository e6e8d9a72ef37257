"""The data of a training, read from files: subwords, encoded pairs, the development text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqtrans.config.schema import Config, TextConfig
from seqtrans.errors import UsageError
from seqtrans.model.shortlist import ALWAYS, LEAST_VOCABULARY, Shortlist
from seqtrans.scoring.contract import MetricSettings
from seqtrans.scoring.suitability import BLEU_ORDER, fitting_settings, share_too_short
from seqtrans.text.corpus import WARN_SHARE, EncodedCorpus, ParallelText, encode_corpus, read_parallel
from seqtrans.text.coverage import tell_unknown, tell_unknown_of_text
from seqtrans.text.diagnosis import diagnose
from seqtrans.text.lexicon import likeliest_translations, most_frequent
from seqtrans.text.splitting import split_off, split_off_end
from seqtrans.text.stream import TextStream, read_text
from seqtrans.text.subword_training import MAX_VOCAB_SIZE, fitting_vocab_size, learn_subwords
from seqtrans.text.subwords import SUBWORD_TYPES, SubwordModel, SubwordType
from seqtrans.training.examples import choose_examples

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
    references: Sequence[str]
    """The targets of `dev_text` as the subwords can write them: runs of spaces, for example, become one space."""
    metric_settings: MetricSettings
    """Of the metric by which translations of `dev_text` are scored."""
    examples: Sequence[int]
    """Line numbers, from 0, of the sentences of `dev_text` that validations show."""
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
    """Read and encode both texts, learning subwords where none are given. Without `dev`, it is the end of `train`.

    Raises:
        DataError: a text is not UTF-8, or empty.
        StreamError: a file cannot be read.
    """
    train_text = read_text(train)
    if dev:
        dev_text = read_text(dev)
    else:
        train_text, dev_text = split_off_end(train_text, config.dev_size)
    if subwords is None:
        lines = train_text.lines
        subwords = _learn_one(lines, _type(config.target_type or config.type), config.vocab_size, len(lines))
        _logger.info(f"subwords: {subwords.size} of type {subwords.type}")
    streams = [TextStream.of(text.lines, subwords) for text in (train_text, dev_text)]
    for text, stream in zip((train_text, dev_text), streams, strict=True):
        _logger.info(
            f"{text.name}: {len(text.lines):,} lines, {len(stream):,} subwords, {stream.characters:,} characters"
        )
        tell_unknown_of_text(text, stream, subwords, is_training=text is train_text)
    digests = _named_digests(train_text.digests, dev_text.digests if dev else {}) | {
        SUBWORD_DIGESTS[1]: subwords.digest
    }
    return LanguageData(subwords, streams[0], streams[1], digests)


def prepare(
    train: Sequence[Path],
    dev: Sequence[Path],
    config: Config,
    subwords: tuple[SubwordModel, SubwordModel] | None,
) -> TrainingData:
    """Read and encode both corpora, learning subwords where none are given. Without `dev`, it is split off `train`.

    A tagger's sides are tokens: see `encode_corpus`.

    Raises:
        UsageError: a tagger's subwords are no `TokenVocabulary`.
        DataError: a corpus is not usable (see `read_parallel` and `encode_corpus`).
        StreamError: a file cannot be read.
    """
    train_text = read_parallel(train)
    digests = _named_digests(train_text.digests, {})
    if dev:
        dev_text = read_parallel(dev)
        digests |= _named_digests({}, dev_text.digests)
    else:
        train_text, dev_text = split_off(train_text, config.text.dev_size, config.training.seed)
    for warning in diagnose(train_text, dev_text):
        _logger.warning(warning)
    source, target = subwords or _learn(train_text, config.text)
    encoded = []
    for text in (train_text, dev_text):
        corpus = encode_corpus(text, source, target, config.text.max_length, token_by_token=config.model.task == "tag")
        _logger.info(corpus.summary(text.name))
        if corpus.dropped_share() > WARN_SHARE:
            _logger.warning(f"{text.name}: {corpus.dropped_share():.0%} of the pairs were dropped")
        tell_unknown(text, corpus, source, target, is_training=text is train_text)
        encoded.append(corpus)
    digests |= dict(zip(SUBWORD_DIGESTS, (source.digest, target.digest), strict=True))
    references = [target.normalize(line) for line in dev_text.target]
    return TrainingData(
        source,
        target,
        encoded[0],
        encoded[1],
        dev_text,
        references,
        _metric_settings(dev_text.name, references, config.training.metric),
        choose_examples(dev_text.source, config.training.seed),
        digests,
    )


def _metric_settings(name: str, references: Sequence[str], metric: str) -> MetricSettings:
    """Settings that fit the references, with a warning where BLEU could not tell good translations of them from bad."""
    if metric != "bleu":
        return MetricSettings()
    settings = fitting_settings(references)
    if settings != MetricSettings():
        _logger.info(f"{name}: written without spaces between words, so BLEU has the tokenizer {settings.tokenize}")
    too_short = share_too_short(references, settings)
    if too_short > 0.5:
        _logger.warning(
            f"{name}: {too_short:.0%} of the references have fewer than {BLEU_ORDER} words, which BLEU cannot tell "
            "apart; choose the best model by another metric, as with --set metric=chrf or metric=exact"
        )
    return settings


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
    """The digests of both texts' files, with names that say which text and side; file names do not matter."""
    texts = (("training text", train), ("development text", dev))
    return {
        f"{part} of the {text}" if part else text: digest for text, files in texts for part, digest in files.items()
    }


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
