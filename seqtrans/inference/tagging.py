"""Tagging: a line of tags for each line of text, with one tag for each token.

Shapes: S positions with EOS, B pieces of lines, H hidden units.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.device import Compute
from seqtrans.errors import UsageError
from seqtrans.inference.translation import ScoredText, Translation
from seqtrans.io.line_report import UnknownText
from seqtrans.io.lines import list_of_lines, without_breaks
from seqtrans.model.trained import TrainedModel
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import FIRST_PIECE_ID, UNK_ID
from seqtrans.text.tokens import TokenVocabulary

MAX_TOKENS, MARGIN = 500, 50
"""The most tokens of a piece. Longer lines are read in overlapping pieces. The tag of a token comes from the piece that
contains at least MARGIN tokens on either side of it, or as many as the line has."""
TOKENS_AT_ONCE = 512
"""Tokens whose logits over all tags are in memory at once."""
BATCH_SIZE = 64


class Tagger:
    """A trained tagger on a device.

    If tokens and tags are both characters, an unknown character is copied as its own tag.
    """

    def __init__(self, model: TrainedModel, compute: Compute) -> None:
        """Move a model to the device of `compute`. It must not be trained afterwards.

        Raises:
            UsageError: the model is not a tagger, or the precision is int8.
        """
        if compute.int8:
            raise UsageError("a tagger has no products in int8: leave out --precision int8")
        self.compute = compute
        self.network = model.tagger.eval().to(compute.device)
        self.source, self.target = TokenVocabulary(model.source_subwords), TokenVocabulary(model.target_subwords)
        self.copies_unknown = not (self.source.of_words or self.target.of_words)

    def tag(self, lines: Sequence[str], batch_size: int = BATCH_SIZE) -> list[Translation]:
        """The likeliest tags of lines of any order and length. `Translation.text` is a line of tags.

        Raises:
            UsageError: the lines are one string, or the batch size is below 1.
        """
        if batch_size < 1:
            raise UsageError(f"batch_size must be at least 1, not {batch_size}")
        lines = list_of_lines(lines)
        tokens = [self.source.split(line) for line in lines]
        ids = [self.source.ids(line) for line in tokens]
        pieces = [_Piece(number, *bounds) for number, line in enumerate(ids) for bounds in _bounds(len(line))]
        pieces.sort(key=lambda piece: piece.begin - piece.end)
        tags = [[0] * len(line) for line in ids]
        log_probs = [[0.0] * len(line) for line in ids]
        for first in range(0, len(pieces), batch_size):
            batch = pieces[first : first + batch_size]
            results = self._tag([ids[piece.line][piece.begin : piece.end] for piece in batch])
            for piece, (best, best_log_probs) in zip(batch, results, strict=True):
                span = slice(piece.first - piece.begin, piece.last - piece.begin)
                tags[piece.line][piece.first : piece.last] = best[span]
                log_probs[piece.line][piece.first : piece.last] = best_log_probs[span]
        return [self._translation(*parts) for parts in zip(lines, tokens, ids, tags, log_probs, strict=True)]

    def _tag(self, sources: Sequence[Sequence[int]]) -> list[tuple[list[int], list[float]]]:
        """The likeliest tags of each source, and their natural log-probabilities."""
        padded, lengths = (tensor.to(self.compute.device) for tensor in pad_sources(sources))
        best: list[Tensor] = []
        log_probs: list[Tensor] = []
        with torch.no_grad(), self.compute.arithmetic():
            readouts_SBH = self.network.readouts(padded, lengths)
            for chunk in readouts_SBH.flatten(0, 1).split(TOKENS_AT_ONCE):
                logits = self.network.logits(chunk).float()
                total = logits.logsumexp(dim=1)
                logits[:, :FIRST_PIECE_ID] = float("-inf")  # special subwords are no tags
                likeliest = logits.max(dim=1)
                best.append(likeliest.indices)
                log_probs.append(likeliest.values - total)
        shape = padded.shape
        columns = zip(sources, *(torch.cat(parts).view(shape).t().tolist() for parts in (best, log_probs)), strict=True)
        return [(tags[: len(source)], values[: len(source)]) for source, tags, values in columns]

    def _translation(
        self, line: str, tokens: list[str], ids: list[int], tags: list[int], log_probs: list[float]
    ) -> Translation:
        texts = self.target.texts(tags)
        if self.copies_unknown:
            texts = [token if i == UNK_ID else text for token, i, text in zip(tokens, ids, texts, strict=True)]
        total = math.fsum(log_probs)
        score = total / len(log_probs) if log_probs else 0.0
        scored_text = ScoredText(
            without_breaks(self.target.join(texts)), score, total, self.target.subwords.pieces(tags), log_probs
        )
        different = dict.fromkeys(token for token, i in zip(tokens, ids, strict=True) if i == UNK_ID)
        unknown = UnknownText(tuple(different), self.source.of_words) if different else None
        return Translation(line, self.source.subwords.pieces(ids), [scored_text], unknown=unknown)


@dataclass(frozen=True)
class _Piece:
    """A part of line number `line`: tokens `begin` to `end` are read, and the tags of `first` to `last` are kept.

    `end` and `last` are exclusive.
    """

    line: int
    begin: int
    end: int
    first: int
    last: int


def _bounds(length: int) -> Iterator[tuple[int, int, int, int]]:
    """`begin`, `end`, `first` and `last` of each piece of a line with `length` tokens."""
    stride = MAX_TOKENS - 2 * MARGIN
    first = 0
    while first < length:
        is_last = length - first <= MAX_TOKENS - MARGIN or length <= MAX_TOKENS
        last = length if is_last else first + stride
        yield max(0, first - MARGIN), min(length, last + MARGIN), first, last
        first = last
