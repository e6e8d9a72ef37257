"""The largest few of many, exactly and fast.

Shapes: N rows, M values each, k wanted.
"""

from __future__ import annotations

import torch
from torch import Tensor

GROUP, SMALLEST = 64, 8
"""Values whose maximum stands for them in the first stage, or down to so few where there are not many groups."""

MANY = 64
"""Of so many times k values the library sorts the k largest only, which takes half as long as what it does of fewer."""

FEW = 1 << 16
"""Of so few values the library's own function finds the largest sooner."""


def top(values_NM: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of each row, largest first, and their places; fewer where a row has fewer."""
    if values_NM.numel() < FEW:
        return values_NM.topk(min(k, values_NM.shape[1]), dim=1)
    return top_by_groups(values_NM, k)


def top_by_groups(values_NM: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The same, of many.

    In two stages: the k largest values lie within the k groups of largest maxima. A group is every
    (M / size)-th value, so that maxima are those of one half of a row and the other, and again of that.
    """
    rows, many = values_NM.shape
    k = min(k, many)
    size = GROUP
    while size > SMALLEST and many // size < MANY * k:
        size //= 2
    groups = many // size
    if groups < 4 * k:
        return values_NM.topk(k, dim=1)
    whole = groups * size
    grouped = values_NM[:, :whole].unflatten(1, (size, groups))
    largest = values_NM[:, :whole]
    while largest.shape[1] > groups:
        largest = torch.maximum(*largest.chunk(2, dim=1))  # several times as fast as `amax` over groups
    chosen = largest.topk(k, dim=1).indices  # [N, k] groups
    inside = grouped.gather(2, chosen.unsqueeze(1).expand(rows, size, k)).flatten(1)
    places = (torch.arange(size, device=chosen.device).view(1, -1, 1) * groups + chosen.unsqueeze(1)).flatten(1)
    if whole < many:
        rest = torch.arange(whole, many, device=chosen.device).expand(rows, -1)
        inside, places = torch.cat([inside, values_NM[:, whole:]], 1), torch.cat([places, rest], 1)
    best, index = inside.topk(k, dim=1)
    return best, places.gather(1, index)
