"""Which continuations go on: the best; the best of each group, unlike those of the groups before; or the best of each
bank, so that hypotheses which have come further with what is required get their places.

Shapes: B sentences, k hypotheses of each, m continuations of each, M = k * m, K that go on.
"""

from __future__ import annotations

import numpy as np

from seqtrans.search.slots import Floats, Ints


def best(totals_BM: Floats, count: int) -> tuple[Ints, Floats]:
    """The places of the largest of each row, largest first, and they; of equal ones that are chosen the first first.

    Where a row has fewer, the first of them fills up, with -inf.
    """
    many = totals_BM.shape[1]
    if many > 4 * count:
        places = np.sort(np.argpartition(-totals_BM, count - 1, axis=1)[:, :count], axis=1)
        order = np.argsort(-np.take_along_axis(totals_BM, places, axis=1), axis=1, kind="stable")
        places = np.take_along_axis(places, order, axis=1)
    else:
        places = np.argsort(-totals_BM, axis=1, kind="stable")[:, :count]
    largest = np.take_along_axis(totals_BM, places, axis=1)
    if many >= count:
        return places, largest
    missing = ((0, 0), (0, count - many))
    return np.pad(places, missing), np.pad(largest, missing, constant_values=-np.inf)


def best_of_groups(
    totals_Bkm: Floats, tokens_Bkm: Ints, count: int, groups: int, diversity: float
) -> tuple[Ints, Floats]:
    """The same, from `groups` parts of the hypotheses, one after the other (Vijayakumar et al. 2016, section 3).

    For each time that a group before has chosen a subword at this step, it counts `diversity` less. At the first step,
    when there is one hypothesis, no subword is chosen twice; so no two hypotheses are ever the same.
    """
    sentences, hypotheses, continuations = totals_Bkm.shape
    size = count // groups
    said = np.zeros((sentences, 0), dtype=np.int64)
    places, totals = [], []
    for group in range(groups):
        part = slice(0, 1) if hypotheses == 1 else slice(group * size, (group + 1) * size)
        tokens = tokens_Bkm[:, part].reshape(sentences, -1)
        own = totals_Bkm[:, part].reshape(sentences, -1)
        times = (tokens[:, :, None] == said[:, None, :]).sum(axis=2)
        valued = own - diversity * times
        if hypotheses == 1:
            valued[times > 0] = -np.inf
        found, values = best(valued, size)
        places.append(found + part.start * continuations)
        totals.append(np.where(values > -np.inf, np.take_along_axis(own, found, axis=1), -np.inf))
        chosen = np.where(values > -np.inf, np.take_along_axis(tokens, found, axis=1), -1)
        said = np.concatenate([said, chosen], axis=1)
    return np.concatenate(places, axis=1), np.concatenate(totals, axis=1)


def best_of_banks(totals_BM: Floats, met_BM: Ints, count: int) -> tuple[Ints, Floats]:
    """The same, where continuations with as many subwords of what is required are a bank.

    The best of every bank come first, the bank with most first, then the second of every bank, and so on: dynamic
    beam allocation (Post & Vilar 2018), in the order of Hu et al. 2019, section 3. A row of one bank is as in `best`.
    """
    places, totals = best(totals_BM, count)
    for row in np.flatnonzero((met_BM != met_BM[:, :1]).any(axis=1)).tolist():
        values, met = totals_BM[row], met_BM[row]
        order = np.lexsort((-values, -met))
        _, first = np.unique(-met[order], return_index=True)
        rank = np.arange(len(order)) - np.repeat(first, np.diff([*first, len(order)]))
        rank[values[order] == -np.inf] = len(order)
        chosen = order[np.argsort(rank, kind="stable")][:count]
        chosen = chosen[np.argsort(-values[chosen], kind="stable")]
        places[row, : len(chosen)], totals[row, : len(chosen)] = chosen, values[chosen]
    return places, totals
