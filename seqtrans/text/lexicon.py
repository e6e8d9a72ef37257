"""Which subwords translate which, learned from a parallel text.

IBM model 1 (Brown et al. 1993, section 4.1): every target subword comes from one of the source subwords of its pair, or
from none, and expectation maximisation finds t(target | source).

Shapes: C cells (a source and a target subword of one pair), L links (different ones), V source vocabulary,
N translations of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqtrans.text.corpus import EncodedCorpus, Ragged
from seqtrans.text.subwords import EOS_ID, PAD_ID

ITERATIONS = 5
MOST_CELLS = 1 << 25
"""So many take a quarter of a minute, and 2 GiB."""
_CHUNK = 1 << 22
_NONE = PAD_ID
"""Stands for the source of what comes from no subword."""

Ints = NDArray[np.int64]


def likeliest_translations(
    corpus: EncodedCorpus, source_size: int, target_size: int, count: int, most_cells: int = MOST_CELLS
) -> NDArray[np.int32] | None:
    """The `count` target subwords of highest t(target | source) for each source subword [V, N], likeliest first.

    Where there are fewer, EOS fills up. The sizes are those of the vocabularies. Of a text with more than `most_cells`,
    pairs from all over it are learned from. None where every pair is too long for that.
    """
    chunks = [_Chunk.of(corpus, pairs, target_size) for pairs in _parts(corpus, most_cells)]
    if not chunks:
        return None
    links = np.unique(np.concatenate([chunk.links for chunk in chunks]))
    sources, targets = np.divmod(links, target_size)
    places = [np.searchsorted(links, chunk.links) for chunk in chunks]
    likelihood = np.ones(len(links))
    for _ in range(ITERATIONS):
        expected = np.zeros(len(links))
        for chunk, place in zip(chunks, places, strict=True):
            expected[place] += chunk.expected(likelihood[place])
        likelihood = expected / np.bincount(sources, expected)[sources]
    order = np.lexsort((targets, -likelihood, sources))  # sources are in order already, and stay so
    rank = np.arange(len(links)) - np.searchsorted(sources, sources)
    listed = (rank < count) & (sources != _NONE)
    lists = np.full((source_size, count), EOS_ID, dtype=np.int32)
    lists[sources[listed], rank[listed]] = targets[order][listed]
    return lists


def most_frequent(side: Ragged, vocabulary: int, count: int) -> NDArray[np.int32]:
    """The `count` most frequent subwords of one side of a corpus, most frequent first."""
    frequencies = np.bincount(side.flat, minlength=vocabulary)
    order = np.argsort(-frequencies, kind="stable")[:count]
    return order[frequencies[order] > 0].astype(np.int32)


def _parts(corpus: EncodedCorpus, most_cells: int) -> list[Ints]:
    """The pairs to learn from, so many together that their arrays are not too large; none that is so by itself."""
    cells = (corpus.source.lengths + 1) * corpus.target.lengths
    usable = np.flatnonzero(cells <= _CHUNK)
    if not len(usable):
        return []
    pairs = usable[:: max(1, -(-int(cells[usable].sum()) // most_cells))]
    return np.split(pairs, np.flatnonzero(np.diff(np.cumsum(cells[pairs]) // _CHUNK)) + 1)


@dataclass(frozen=True)
class _Chunk:
    """The cells of some pairs."""

    links: Ints
    """The different ones among them [L], as source * target vocabulary + target, in order."""
    link_of_C: NDArray[np.int32]
    position_C: NDArray[np.int32]
    """Which of the target subwords of the text each has."""

    @staticmethod
    def of(corpus: EncodedCorpus, pairs: Ints, target_size: int) -> _Chunk:
        """All of these pairs, in the order of the target's subwords."""
        rows, columns = corpus.source.lengths[pairs] + 1, corpus.target.lengths[pairs]
        sizes = rows * columns
        pair = np.repeat(np.arange(len(pairs)), sizes)
        row, column = np.divmod(np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes), columns[pair])
        is_none = row == rows[pair] - 1
        row[is_none] = 0
        source = np.where(is_none, _NONE, corpus.source.flat[corpus.source.offsets[pairs][pair] + row])
        position = corpus.target.offsets[pairs][pair] + column
        links, link_of = np.unique(
            source.astype(np.int64) * target_size + corpus.target.flat[position], return_inverse=True
        )
        return _Chunk(links, link_of.astype(np.int32), (position - corpus.target.offsets[pairs[0]]).astype(np.int32))

    def expected(self, likelihood_L: NDArray[np.float64]) -> NDArray[np.float64]:
        """How often each link is expected to be the one that a target subword comes from."""
        share_C = likelihood_L[self.link_of_C]
        share_C /= np.bincount(self.position_C, share_C)[self.position_C]
        counts: NDArray[np.float64] = np.bincount(self.link_of_C, share_C).astype(np.float64, copy=False)
        return counts
