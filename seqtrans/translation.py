"""Lines in, translations out, in the order of the lines.

Lines are gathered into chunks, sorted by length inside a chunk, searched in batches, and put back in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from seqtrans.device import Compute
from seqtrans.model.file import TrainedModel
from seqtrans.search.beam import beam_search
from seqtrans.search.greedy import greedy_search
from seqtrans.search.hypothesis import Hypothesis, SearchOptions
from seqtrans.search.scorer import ModelScorer, StepScorer
from seqtrans.text.batches import pad_sources
from seqtrans.text.lines import LineReport, without_breaks
from seqtrans.text.subwords import SubwordModel

MAX_SOURCE = 500
"""Source subwords that are read of one line; the rest is left out, with a warning."""

CHUNK_BATCHES = 16
"""Batches that are sorted by length together."""

Search = Callable[..., list[list[Hypothesis]]]


@dataclass(frozen=True)
class Translation:
    """The n-best of one line, best first; a blank line has one empty hypothesis."""

    source: str
    source_ids: list[int]
    cut: bool
    """Whether the line was too long to read whole."""
    texts: list[str]
    hypotheses: list[Hypothesis]


class LineTranslator:
    """What turns lines into lines."""

    def translate(self, lines: Sequence[str]) -> list[Translation]:
        """Translate lines, whatever their order and length."""
        raise NotImplementedError

    def stream(self, chunks: Iterable[list[str]], report: LineReport) -> Iterator[list[Translation]]:
        """Translate chunk by chunk; `report` counts lines that were too long to read whole."""
        report.unread_beyond = f"{MAX_SOURCE} subwords"
        number = 0
        for chunk in chunks:
            translations = self.translate(chunk)
            for translation in translations:
                number += 1
                if translation.cut:
                    report.unread.add(number)
            yield translations


class Translator(LineTranslator):
    """A translator ready to work on a device."""

    def __init__(self, model: TrainedModel, compute: Compute, options: SearchOptions, batch_size: int) -> None:
        self.model, self.compute, self.options, self.batch_size = model, compute, options, batch_size
        self.scorer: StepScorer = ModelScorer(model.seq2seq.to(compute.device))

    def translate(self, lines: Sequence[str]) -> list[Translation]:
        """Translate lines, whatever their order and length."""
        sources = self.model.source_subwords.encode_batch([line if line.strip() else "" for line in lines])
        cut = [len(ids) > MAX_SOURCE for ids in sources]
        sources = [ids[:MAX_SOURCE] for ids in sources]
        found: list[list[Hypothesis]] = [[_EMPTY] for _ in lines]
        order = sorted((i for i, ids in enumerate(sources) if ids), key=lambda i: -len(sources[i]))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            for row, hypotheses in zip(rows, self._search([sources[i] for i in rows]), strict=True):
                found[row] = hypotheses
        return [
            Translation(line, ids, was_cut, [self._text(h) for h in hypotheses], hypotheses)
            for line, ids, was_cut, hypotheses in zip(lines, sources, cut, found, strict=True)
        ]

    def _search(self, sources: Sequence[Sequence[int]]) -> list[list[Hypothesis]]:
        padded, lengths = pad_sources(sources)
        # with one slot there is nothing to rank: beam search would find the same, slower
        search: Search = greedy_search if self.options.beam == 1 else beam_search
        with self.compute.arithmetic():
            return search(self.scorer, padded.to(self.compute.device), lengths.to(self.compute.device), self.options)

    def _text(self, hypothesis: Hypothesis) -> str:
        return without_breaks(self.model.target_subwords.decode(hypothesis.tokens))


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
