"""Three ways to select the continuations that stay in the beam.

`best` selects the likeliest. `best_of_groups` selects the likeliest of each group in diverse beam search.
`best_of_banks` shares the beam among hypotheses that contain different numbers of required subwords.

Shapes: B sentences, k hypotheses of each, m continuations of each, M = k * m, K selected continuations.
"""

from __future__ import annotations

import numpy as np

from seqtrans.search.slots import Floats, Ints


def best(totals_BM: Floats, count: int) -> tuple[Ints, Floats]:
    """The positions [B, K] and the values [B, K] of the `count` largest totals of each row, largest first.

    Equal values come in the order of their positions. If a row has fewer than `count`, the rest are position 0 and
    -inf.
    """
    columns = totals_BM.shape[1]
    if columns > 4 * count:
        positions = np.sort(np.argpartition(-totals_BM, count - 1, axis=1)[:, :count], axis=1)
        order = np.argsort(-np.take_along_axis(totals_BM, positions, axis=1), axis=1, kind="stable")
        positions = np.take_along_axis(positions, order, axis=1)
    else:
        positions = np.argsort(-totals_BM, axis=1, kind="stable")[:, :count]
    largest = np.take_along_axis(totals_BM, positions, axis=1)
    if columns >= count:
        return positions, largest
    missing = ((0, 0), (0, count - columns))
    return np.pad(positions, missing), np.pad(largest, missing, constant_values=-np.inf)


def best_of_groups(
    totals_Bkm: Floats, tokens_Bkm: Ints, count: int, groups: int, diversity: float
) -> tuple[Ints, Floats]:
    """Like `best`, for diverse beam search with Hamming diversity (Vijayakumar et al. 2016, section 3).

    The hypotheses are divided into `groups` equal groups, which select one after the other. A group ranks a subword by
    its total minus `diversity` for each time that earlier groups selected it at this step. At the first step, when all
    groups continue the same hypothesis, no subword is selected twice, so that all hypotheses differ from then on. The
    values that are returned are the totals without the diversity penalty.
    """
    sentences, hypotheses, continuations = totals_Bkm.shape
    size = count // groups
    earlier_tokens = np.zeros((sentences, 0), dtype=np.int64)
    positions, totals = [], []
    for group in range(groups):
        part = slice(0, 1) if hypotheses == 1 else slice(group * size, (group + 1) * size)
        tokens = tokens_Bkm[:, part].reshape(sentences, -1)
        group_totals = totals_Bkm[:, part].reshape(sentences, -1)
        counts = (tokens[:, :, None] == earlier_tokens[:, None, :]).sum(axis=2)
        penalized_totals = group_totals - diversity * counts
        if hypotheses == 1:
            penalized_totals[counts > 0] = -np.inf
        selection, values = best(penalized_totals, size)
        positions.append(selection + part.start * continuations)
        totals.append(np.where(values > -np.inf, np.take_along_axis(group_totals, selection, axis=1), -np.inf))
        new_tokens = np.where(values > -np.inf, np.take_along_axis(tokens, selection, axis=1), -1)
        earlier_tokens = np.concatenate([earlier_tokens, new_tokens], axis=1)
    return np.concatenate(positions, axis=1), np.concatenate(totals, axis=1)


def best_of_banks(totals_BM: Floats, bank_BM: Ints, count: int) -> tuple[Ints, Floats]:
    """Like `best`, with the beam shared among banks: dynamic beam allocation (Post & Vilar 2018).

    Continuations after which the hypothesis contains equally many required subwords, `bank_BM`, form a bank. The best
    continuation of each bank is selected first, then the second best of each, and so on, and in each round the bank
    with the largest number is first (Hu et al. 2019, section 3). A row with one bank is selected as in `best`.
    """
    positions, totals = best(totals_BM, count)
    for row in np.flatnonzero((bank_BM != bank_BM[:, :1]).any(axis=1)).tolist():
        values, banks = totals_BM[row], bank_BM[row]
        order = np.lexsort((-values, -banks))
        _, bank_starts = np.unique(-banks[order], return_index=True)
        rank = np.arange(len(order)) - np.repeat(bank_starts, np.diff([*bank_starts, len(order)]))
        rank[values[order] == -np.inf] = len(order)
        selection = order[np.argsort(rank, kind="stable")][:count]
        selection = selection[np.argsort(-values[selection], kind="stable")]
        positions[row, : len(selection)], totals[row, : len(selection)] = selection, values[selection]
    return positions, totals
