"""How much a loss depends on what a cell gave out long before.

A kernel makes one operation of a whole sequence, inside which no step can be asked for its gradient; so whoever
watches has the cells run by single steps.

Shapes: T steps, B batch, H hidden units.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from seqtrans.recurrent.cells.base import Cell

Outputs = list[Tensor]
"""h_1, h_2, ... [B, H] of a cell, as they enter the next step and the layers above."""


@contextmanager
def watched(network: nn.Module) -> Iterator[list[Outputs]]:
    """Inside, the cells in a network run step by step and note their outputs: a list for each, in their order.

    Of a cell that is made of cells, the output is that of all together.
    """
    every = [module for module in network.modules() if isinstance(module, Cell)]
    parts = {part for cell in every for part in cell.modules() if part is not cell}
    cells = [cell for cell in every if cell not in parts]
    noted: list[Outputs] = [[] for _ in cells]
    for cell, outputs in zip(cells, noted, strict=True):
        cell.noted = outputs
    try:
        yield noted
    finally:
        for cell in cells:
            cell.noted = None


def gradient_norms(losses_B: Tensor, noted: Sequence[Outputs]) -> list[Tensor]:
    """||dL_b/dh_t|| [T, B] for each list of outputs that went into the losses (Pascanu et al. 2013, section 2).

    The derivative is that of autograd for h_t with the cell's other states at t held: along every path from h_t, by
    the next step and by the layers above. Rows of a batch must not depend on each other.
    """
    every = [h_BH for outputs in noted for h_BH in outputs]
    gradients = torch.autograd.grad(losses_B.sum(), every, materialize_grads=True)
    norms = iter([gradient_BH.norm(dim=1) for gradient_BH in gradients])
    return [torch.stack([next(norms) for _ in outputs]) for outputs in noted]
