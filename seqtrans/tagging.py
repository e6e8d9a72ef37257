"""Lines in, lines of tags out: a tag for each token, in the order of the lines.

Shapes: S positions with EOS, B pieces of lines, V tags.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from seqtrans.device import Compute
from seqtrans.errors import UsageError
from seqtrans.model.file import TrainedModel
from seqtrans.search.hypothesis import Hypothesis, SearchOptions
from seqtrans.text.batches import pad_sources
from seqtrans.text.lines import without_breaks
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID, UNK_ID
from seqtrans.text.tokens import Tokens
from seqtrans.translation import LineTranslator, Translation, Translator

LONGEST = 500
"""Tokens that are read at once; longer lines are read in pieces, so that every token has its tag."""

NO_TAG = [PAD_ID, UNK_ID, BOS_ID, EOS_ID]


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
        pieces = [(i, start) for i, line in enumerate(ids) for start in range(0, len(line), LONGEST)]
        pieces.sort(key=lambda piece: -len(ids[piece[0]][piece[1] : piece[1] + LONGEST]))
        tags = [[0] * len(line) for line in ids]
        logs = [[0.0] * len(line) for line in ids]
        for begin in range(0, len(pieces), self.batch_size):
            batch = pieces[begin : begin + self.batch_size]
            sources = [ids[i][start : start + LONGEST] for i, start in batch]
            for (i, start), (found, found_logs) in zip(batch, self._tag(sources), strict=True):
                tags[i][start : start + LONGEST] = found
                logs[i][start : start + LONGEST] = found_logs
        return [self._translation(*parts) for parts in zip(lines, tokens, ids, tags, logs, strict=True)]

    def _tag(self, sources: Sequence[Sequence[int]]) -> list[tuple[list[int], list[float]]]:
        """The likeliest tags of each source, and their log-probabilities."""
        padded, lengths = (tensor.to(self.compute.device) for tensor in pad_sources(sources))
        with torch.no_grad(), self.compute.arithmetic():
            logs_SBV = self.network.logits(self.network.readouts(padded, lengths)).float().log_softmax(dim=2)
        logs_SBV[:, :, NO_TAG] = float("-inf")
        best = logs_SBV.max(dim=2)
        columns = zip(sources, best.indices.t().tolist(), best.values.t().tolist(), strict=True)
        return [(tags[: len(source)], logs[: len(source)]) for source, tags, logs in columns]

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


def line_translator(model: TrainedModel, compute: Compute, options: SearchOptions, batch_size: int) -> LineTranslator:
    """What turns lines into lines with this model: a search, or a tagger.

    Raises:
        UsageError: the model is a language model, or what is wanted is nothing that it does.
    """
    kind = TagTranslator if model.config.model.task == "tag" else Translator
    return kind(model, compute, options, batch_size)
