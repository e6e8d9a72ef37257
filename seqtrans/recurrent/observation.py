"""How much a loss depends on a cell's outputs at earlier steps.

A kernel runs a whole sequence as one operation, inside which single steps have no gradients. So cells whose outputs are
recorded run step by step.

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
def record_outputs(network: nn.Module) -> Iterator[list[Outputs]]:
    """Inside, the cells in a network run step by step and record their outputs, in one list per cell.

    A `DeepTransition` counts as one cell, whose output is that of its last cell.
    """
    all_cells = [module for module in network.modules() if isinstance(module, Cell)]
    parts = {part for cell in all_cells for part in cell.modules() if part is not cell}
    cells = [cell for cell in all_cells if cell not in parts]
    observations: list[Outputs] = [[] for _ in cells]
    for cell, outputs in zip(cells, observations, strict=True):
        cell.recorded_outputs = outputs
    try:
        yield observations
    finally:
        for cell in cells:
            cell.recorded_outputs = None


def gradient_norms(losses_B: Tensor, observations: Sequence[Outputs]) -> list[Tensor]:
    """||dL_b/dh_t|| [T, B] for each list of outputs that went into the losses (Pascanu et al. 2013, section 2).

    The gradient follows every path from h_t, through the next step and through the layers above. The cell's other
    states at step t count as constants. Rows of a batch must not depend on each other.
    """
    steps = [h_BH for outputs in observations for h_BH in outputs]
    gradients = torch.autograd.grad(losses_B.sum(), steps, materialize_grads=True)
    norms = iter([gradient_BH.norm(dim=1) for gradient_BH in gradients])
    return [torch.stack([next(norms) for _ in outputs]) for outputs in observations]
