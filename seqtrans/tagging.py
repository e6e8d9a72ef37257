"""Lines in, lines of tags out: a tag for each token, in the order of the lines.

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
from seqtrans.model.file import TrainedModel
from seqtrans.search.hypothesis import Hypothesis, SearchOptions
from seqtrans.text.batches import pad_sources
from seqtrans.text.lines import LineReport, refuse_cut, without_breaks
from seqtrans.text.subwords import FIRST_PIECE_ID, UNK_ID
from seqtrans.text.tokens import Tokens
from seqtrans.translation import LineTranslator, Translation, Translator

LONGEST, MARGIN = 500, 50
"""Tokens that are read at once. Longer lines are read in pieces that overlap: a tag comes from the piece in which
there are at least so many tokens on either side of it, or the line's end."""
CHUNK = 512
"""Tokens whose scores are held at once."""


class TagTranslator(LineTranslator):
    """A tagger at work. A character that it does not know stays as it is, where tags are characters too."""

    def __init__(self, model: TrainedModel, compute: Compute, options: SearchOptions, batch_size: int) -> None:
        """Make ready.

        Raises:
            UsageError: more than one tagging of a line is wanted, or an alignment.
        """
        if options.n_best > 1 or options.alignments:
            raise UsageError("a tagger has one best tag for each token: leave out --n-best and --alignment")
        self.compute, self.batch_size = compute, batch_size
        self.network = model.tagger.eval().to(compute.device)
        self.source, self.target = Tokens(model.source_subwords), Tokens(model.target_subwords)
        self.keeps = not (self.source.words or self.target.words)

    def translate(self, lines: Sequence[str]) -> list[Translation]:
        """Tag lines, whatever their order and length."""
        tokens = [self.source.split(line) for line in lines]
        ids = [self.source.ids(line) for line in tokens]
        pieces = [_Piece(number, *bounds) for number, line in enumerate(ids) for bounds in _bounds(len(line))]
        pieces.sort(key=lambda piece: piece.begin - piece.end)
        tags = [[0] * len(line) for line in ids]
        logs = [[0.0] * len(line) for line in ids]
        for first in range(0, len(pieces), self.batch_size):
            batch = pieces[first : first + self.batch_size]
            found = self._tag([ids[piece.line][piece.begin : piece.end] for piece in batch])
            for piece, (best, best_logs) in zip(batch, found, strict=True):
                kept = slice(piece.first - piece.begin, piece.last - piece.begin)
                tags[piece.line][piece.first : piece.last] = best[kept]
                logs[piece.line][piece.first : piece.last] = best_logs[kept]
        return [self._translation(*parts) for parts in zip(lines, tokens, ids, tags, logs, strict=True)]

    def check(self, report: LineReport, lines: int) -> None:
        """Refuse lines that were cut: not every token would have a tag.

        Raises:
            DataError: there is one among the first `lines`.
        """
        if report.cut.first <= lines:
            refuse_cut(report)

    def _tag(self, sources: Sequence[Sequence[int]]) -> list[tuple[list[int], list[float]]]:
        """The likeliest tags of each source, and their log-probabilities."""
        padded, lengths = (tensor.to(self.compute.device) for tensor in pad_sources(sources))
        best: list[Tensor] = []
        logs: list[Tensor] = []
        with torch.no_grad(), self.compute.arithmetic():
            readouts_SBH = self.network.readouts(padded, lengths)
            for chunk in readouts_SBH.flatten(0, 1).split(CHUNK):
                scores = self.network.logits(chunk).float()
                total = scores.logsumexp(dim=1)
                scores[:, :FIRST_PIECE_ID] = float("-inf")  # no tag is special
                likeliest = scores.max(dim=1)
                best.append(likeliest.indices)
                logs.append(likeliest.values - total)
        shape = padded.shape
        columns = zip(sources, *(torch.cat(parts).view(shape).t().tolist() for parts in (best, logs)), strict=True)
        return [(tags[: len(source)], values[: len(source)]) for source, tags, values in columns]

    def _translation(
        self, line: str, tokens: list[str], ids: list[int], tags: list[int], logs: list[float]
    ) -> Translation:
        texts = self.target.texts(tags)
        if self.keeps:
            texts = [token if i == UNK_ID else text for token, i, text in zip(tokens, ids, texts, strict=True)]
        total = math.fsum(logs)
        score = total / len(logs) if logs else 0.0
        return Translation(
            line, ids, False, [without_breaks(self.target.join(texts))], [Hypothesis(tags, score, total, logs, None)]
        )


@dataclass(frozen=True)
class _Piece:
    """Tokens begin to end of a line are read, and tags first to last kept."""

    line: int
    begin: int
    end: int
    first: int
    last: int


def _bounds(length: int) -> Iterator[tuple[int, int, int, int]]:
    """Begin, end, first and last of the pieces of a line with so many tokens."""
    stride = LONGEST - 2 * MARGIN
    first = 0
    while first < length:
        whole = length - first <= LONGEST - MARGIN or length <= LONGEST
        last = length if whole else first + stride
        yield max(0, first - MARGIN), min(length, last + MARGIN), first, last
        first = last


def line_translator(model: TrainedModel, compute: Compute, options: SearchOptions, batch_size: int) -> LineTranslator:
    """What turns lines into lines with this model alone: a search, or a tagger.

    Raises:
        UsageError: the model is a language model, or what is wanted is nothing that it does.
    """
    kind = TagTranslator if model.config.model.task == "tag" else Translator
    return kind(model, compute, options, batch_size)
