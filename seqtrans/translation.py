"""Lines in, translations out, in the order of the lines.

Lines are gathered into chunks, searched longest first, and put back in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seqtrans.consensus import by_consensus
from seqtrans.device import Compute
from seqtrans.errors import UsageError
from seqtrans.model.file import TrainedModel
from seqtrans.recurrent.packing import PackedWeights
from seqtrans.recurrent.products import packed_weights
from seqtrans.search.decoding import search
from seqtrans.search.exact import exact_search
from seqtrans.search.hypothesis import Hypothesis, Request, SearchOptions
from seqtrans.search.scorer import ModelScorer, StepScorer
from seqtrans.text.lines import LineReport, without_breaks
from seqtrans.text.subwords import EOS_ID, SubwordModel

MAX_SOURCE = 500
"""Source subwords that are read of one line; the rest is left out, with a warning."""

CHUNK_BATCHES = 16
"""Batches that are sorted by length together."""


@dataclass(frozen=True)
class Translation:
    """The n-best of one line, best first; a blank line has one empty hypothesis."""

    source: str
    source_ids: list[int]
    cut: bool
    """Whether the line was too long to read whole."""
    texts: list[str]
    hypotheses: list[Hypothesis]
    proven: bool | None = None
    """Whether the best is proven to be the best there is; None where that was not asked for."""


class LineTranslator:
    """What turns lines into lines."""

    def translate(self, lines: Sequence[str]) -> list[Translation]:
        """Translate lines, whatever their order and length."""
        raise NotImplementedError

    def check(self, report: LineReport, lines: int) -> None:
        """Refuse what was mended while reading the first `lines`, where that is nothing to live with."""


class Translator(LineTranslator):
    """A translator ready to work on a device."""

    def __init__(
        self,
        model: TrainedModel,
        compute: Compute,
        options: SearchOptions,
        batch_size: int,
        *,
        scorer: StepScorer | None = None,
        prefixed: bool = False,
    ) -> None:
        """Make ready; `scorer`, where it is given, is asked in place of the model, whose subwords it shares.

        With `prefixed`, what stands after a TAB in a line is what its translations begin with.

        Raises:
            UsageError: a subword to forbid is none.
        """
        self.model, self.compute, self.options, self.batch_size = model, compute, options, batch_size
        self.scorer = scorer or ModelScorer(model.seq2seq.to(compute.device))
        self.packed = PackedWeights(compute.int8)
        self.prefixed = prefixed
        self.shortlist = model.shortlist if options.shortlist else None
        self.forbidden = [_forbidden(piece, model.target_subwords) for piece in options.forbid.split()]

    def translate(self, lines: Sequence[str]) -> list[Translation]:
        """Translate lines, whatever their order and length."""
        prefixes = [""] * len(lines)
        if self.prefixed:
            parts = [line.partition("\t") for line in lines]
            lines, prefixes = [line for line, _, _ in parts], [prefix for _, _, prefix in parts]
        sources = self.model.source_subwords.encode_batch([line if line.strip() else "" for line in lines])
        starts = self.model.target_subwords.encode_batch(prefixes)
        cut = [len(ids) > MAX_SOURCE or len(start) > MAX_SOURCE for ids, start in zip(sources, starts, strict=True)]
        sources, starts = [ids[:MAX_SOURCE] for ids in sources], [ids[:MAX_SOURCE] for ids in starts]
        order = sorted((i for i, ids in enumerate(sources) if ids), key=lambda i: -len(sources[i]))
        with self.compute.arithmetic(), packed_weights(self.packed):
            found = dict(zip(order, self._found([Request(sources[i], starts[i]) for i in order]), strict=True))
        # of a blank line there is nothing to find, and nothing to prove
        blank = [_EMPTY], True if self.options.exact else None
        return [
            self._translation(line, ids, was_cut, *found.get(i, blank))
            for i, (line, ids, was_cut) in enumerate(zip(lines, sources, cut, strict=True))
        ]

    def _found(self, requests: list[Request]) -> list[tuple[list[Hypothesis], bool | None]]:
        """The hypotheses of each sentence, and whether they are proven where that is wanted."""
        options, device = self.options, self.compute.device
        if options.mbr:
            options = replace(options, n_best=options.beam)  # all that there is to choose from
        found = search(self.scorer, requests, options, self.batch_size, device, self.forbidden, self.shortlist)
        if not options.exact:
            return [(hypotheses, None) for hypotheses in found]
        proofs = [
            exact_search(self.scorer, request, first, options, device, self.forbidden)
            for request, (first, *_) in zip(requests, found, strict=True)
        ]
        return [([proof.best], proof.proven) for proof in proofs]

    def _translation(
        self, line: str, ids: list[int], cut: bool, hypotheses: list[Hypothesis], proven: bool | None
    ) -> Translation:
        texts = [self._text(h) for h in hypotheses]
        if self.options.mbr:
            drawn = self.options.samples > 0
            ranked = by_consensus(hypotheses, texts, self.options.mbr, drawn=drawn)[: self.options.n_best]
            hypotheses, texts = [h for h, _ in ranked], [text for _, text in ranked]
        return Translation(line, ids, cut, texts, hypotheses, proven)

    def _text(self, hypothesis: Hypothesis) -> str:
        return without_breaks(self.model.target_subwords.decode(hypothesis.tokens))


def _forbidden(piece: str, subwords: SubwordModel) -> int:
    number = subwords.id_of(piece)
    if subwords.piece(number) != piece:
        raise UsageError(f"forbid: '{piece}' is no subword of the model (`seqtrans tokenize encode` prints them)")
    if number == EOS_ID:
        raise UsageError(f"forbid: without '{piece}' no translation would end")
    return number


_EMPTY = Hypothesis([], 0.0, 0.0, [], None)


def subword_alignment(hypothesis: Hypothesis, source_length: int) -> list[tuple[int, int]]:
    """(source, target) positions: each target subword with the source subword it attends to most.

    The source's EOS, which also receives weight, is left out.
    """
    if hypothesis.alignment is None or not source_length or not hypothesis.tokens:
        return []
    best = hypothesis.alignment[:, :source_length].argmax(dim=1).tolist()
    return [(source, target) for target, source in enumerate(best)]


def word_alignment(
    links: list[tuple[int, int]],
    source: tuple[SubwordModel, Sequence[int]],
    target: tuple[SubwordModel, Sequence[int]],
) -> list[tuple[int, int]]:
    """The same links between words: each pair of words that any of their subwords link, once."""
    source_words, target_words = _word_numbers(*source), _word_numbers(*target)
    return sorted({(source_words[s], target_words[t]) for s, t in links})


def _word_numbers(subwords: SubwordModel, ids: Sequence[int]) -> list[int]:
    """For each subword the number of the word that it belongs to."""
    numbers: list[int] = []
    for position, number in enumerate(ids):
        last = numbers[-1] if numbers else 0
        numbers.append(last + (1 if position and subwords.starts_word(number) else 0))
    return numbers
