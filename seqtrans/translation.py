"""Lines in, translations out, in the order of the lines.

Lines are gathered into chunks, searched longest first, and put back in order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from seqtrans.alignment import copied_subwords, copied_words, with_copies
from seqtrans.consensus import by_consensus
from seqtrans.device import Compute
from seqtrans.errors import UsageError
from seqtrans.model.file import TrainedModel
from seqtrans.model.shortlist import Shortlist
from seqtrans.recurrent.packing import PackedWeights
from seqtrans.recurrent.products import packed_weights
from seqtrans.search.decoding import search
from seqtrans.search.exact import exact_search
from seqtrans.search.hypothesis import Hypothesis, Request, SearchOptions
from seqtrans.search.scorer import ModelScorer, StepScorer
from seqtrans.search.watching import SearchStep
from seqtrans.text.lines import LineReport, without_breaks
from seqtrans.text.subwords import EOS_ID, UNK_ID, SubwordModel

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
    steps: Sequence[SearchStep] = ()
    """What the search did, where that is to be told."""
    unmet: bool = False
    """Whether something is left out of what it was to hold, or to begin with."""

    @property
    def unsaid(self) -> bool:
        """Whether there is none, for nothing can end."""
        return self.hypotheses[0].score == -math.inf


class LineTranslator:
    """What turns lines into lines."""

    def translate(self, lines: Sequence[str]) -> list[Translation]:
        """Translate lines, whatever their order and length."""
        raise NotImplementedError

    def check(self, report: LineReport, lines: int) -> None:
        """Refuse what was mended while reading the first `lines`, where that is nothing to live with."""


@dataclass(frozen=True)
class _Found:
    """Of one sentence."""

    hypotheses: list[Hypothesis]
    proven: bool | None
    steps: Sequence[SearchStep] = ()


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
        required: bool = False,
        watched: bool = False,
        shortlist: Shortlist | None = None,
    ) -> None:
        """Make ready; `scorer`, where it is given, is asked in place of the model, whose subwords it shares.

        With `prefixed`, what stands after a TAB in a line is what its translations begin with; with `required`, what
        stands after it, and after each further TAB, is what they hold. With `watched`, what the search did is told.
        With a `shortlist`, they hold nothing else than that allows.

        Raises:
            UsageError: a subword to forbid is none.
        """
        self.model, self.compute, self.batch_size = model, compute, batch_size
        self.options = replace(options, alignments=True) if options.copy_unknown else options
        self.scorer = scorer or ModelScorer(model.seq2seq.to(compute.device))
        self.packed = PackedWeights(compute.int8)
        self.prefixed, self.required, self.watched = prefixed, required, watched
        self.shortlist = shortlist
        self.forbidden = [_forbidden(piece, model.target_subwords) for piece in options.forbid.split(" ") if piece]

    def translate(self, lines: Sequence[str]) -> list[Translation]:
        """Translate lines, whatever their order and length."""
        lines, prefixes, phrases = self._columns(lines)
        sources = self.model.source_subwords.encode_batch([line if line.strip() else "" for line in lines])
        asked = self.model.target_subwords.encode_batch(prefixes)
        starts = [known_beginning(start) for start in asked]
        cut = [len(ids) > MAX_SOURCE or len(start) > MAX_SOURCE for ids, start in zip(sources, starts, strict=True)]
        sources, starts = [ids[:MAX_SOURCE] for ids in sources], [ids[:MAX_SOURCE] for ids in starts]
        order = sorted((i for i, ids in enumerate(sources) if ids), key=lambda i: -len(sources[i]))
        able = [holdable(held) for held in phrases]
        requests = [Request(sources[i], starts[i], able[i]) for i in order]
        with self.compute.arithmetic(), packed_weights(self.packed):
            found = dict(zip(order, self._found(requests), strict=True))
        # of a blank line there is nothing to find, and nothing to prove
        blank = _Found([_EMPTY], True if self.options.exact else None)
        return [
            replace(
                self._translation(line, ids, was_cut, found.get(i, blank)),
                unmet=bool(phrases[i] or asked[i])
                and (i not in found or able[i] != phrases[i] or starts[i] != asked[i][:MAX_SOURCE]),
            )
            for i, (line, ids, was_cut) in enumerate(zip(lines, sources, cut, strict=True))
        ]

    def _columns(self, lines: Sequence[str]) -> tuple[list[str], list[str], list[list[list[int]]]]:
        """The text of each line, what its translations begin with, and the phrases that they hold, as subword ids."""
        if not (self.prefixed or self.required):
            return list(lines), [""] * len(lines), [[]] * len(lines)
        columns = [line.split("\t") if self.required else line.split("\t", 1) for line in lines]
        # a further TAB without phrases would look like a column of the output
        prefixes = [parts.pop(1).replace("\t", " ") if self.prefixed and len(parts) > 1 else "" for parts in columns]
        encode = self.model.target_subwords.encode
        phrases = [[ids for phrase in dict.fromkeys(parts[1:]) if (ids := encode(phrase))] for parts in columns]
        return [parts[0] for parts in columns], prefixes, phrases

    def _found(self, requests: list[Request]) -> list[_Found]:
        """What is found for each sentence."""
        options, device = self.options, self.compute.device
        if options.mbr:
            options = replace(options, n_best=options.beam)  # all that there is to choose from
        steps: list[list[SearchStep]] = [[] for _ in requests]
        watch = (lambda number, step: steps[number].append(step)) if self.watched else None
        found = search(self.scorer, requests, options, self.batch_size, device, self.forbidden, self.shortlist, watch)
        if not options.exact:
            return [_Found(hypotheses, None, told) for hypotheses, told in zip(found, steps, strict=True)]
        proofs = [
            exact_search(self.scorer, request, first, options, device, self.forbidden)
            for request, (first, *_) in zip(requests, found, strict=True)
        ]
        return [_Found([proof.best], proof.proven) for proof in proofs]

    def _translation(self, line: str, ids: list[int], cut: bool, found: _Found) -> Translation:
        hypotheses = found.hypotheses
        texts = [self._text(h, line, ids) for h in hypotheses]
        if self.options.mbr:
            drawn = self.options.samples > 0
            ranked = by_consensus(hypotheses, texts, self.options.mbr, drawn=drawn)[: self.options.n_best]
            hypotheses, texts = [h for h, _ in ranked], [text for _, text in ranked]
        elif not self.options.samples:
            distinct: dict[str, Hypothesis] = {}
            for text, hypothesis in zip(texts, hypotheses, strict=True):
                distinct.setdefault(text, hypothesis)  # a text in other subwords is the same text
            texts, hypotheses = list(distinct), list(distinct.values())
        return Translation(line, ids, cut, texts, hypotheses, found.proven, found.steps)

    def _text(self, hypothesis: Hypothesis, line: str, ids: list[int]) -> str:
        target = self.model.target_subwords
        if self.options.copy_unknown and UNK_ID in hypothesis.tokens and hypothesis.alignment is not None:
            source = self.model.source_subwords
            pieces = source.encode_pieces(line)[: len(ids)]
            copies = copied_words(source, pieces, ids) if target.type == "word" else copied_subwords(pieces)
            return without_breaks(
                target.decode_pieces(with_copies(hypothesis.tokens, hypothesis.alignment, copies, target))
            )
        return without_breaks(target.decode(hypothesis.tokens))


def known_beginning(start: Sequence[int]) -> Sequence[int]:
    """The subwords before the first that the model does not know."""
    return start[: start.index(UNK_ID)] if UNK_ID in start else start


def holdable(phrases: Sequence[list[int]]) -> list[list[int]]:
    """Those of which the model knows every subword, as long as they are not more than `MAX_SOURCE` subwords."""
    kept: list[list[int]] = []
    length = 0
    for phrase in phrases:
        if UNK_ID not in phrase and length + len(phrase) <= MAX_SOURCE:
            kept.append(phrase)
            length += len(phrase)
    return kept


def _forbidden(piece: str, subwords: SubwordModel) -> int:
    number = subwords.id_of(piece)
    if subwords.piece(number) != piece:
        raise UsageError(f"forbid: '{piece}' is no subword of the model (`seqtrans tokenize encode` prints them)")
    if number == EOS_ID:
        raise UsageError(f"forbid: without '{piece}' no translation would end")
    return number


_EMPTY = Hypothesis([], 0.0, 0.0, [], None)
