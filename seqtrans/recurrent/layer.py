"""A cell over a padded batch of sequences, in one or both directions.

Shapes: T steps, B batch, I inputs, H hidden units.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.products import linear


class BidirectionalLayer(nn.Module):
    """o_t = [h_t forward; h_t backward] (Schuster & Paliwal 1997); the backward half reads each sequence from its end.

    If `mixed`, o_t = W_o [h_t forward; h_t backward] + b_o.
    """

    def __init__(self, kind: type[Cell], inputs: int, hidden: int, *, mixed: bool = False) -> None:
        super().__init__()
        if hidden % 2:
            raise ValueError(f"a bidirectional layer has an even number of units, not {hidden}")
        self.forwards = kind(inputs, hidden // 2)
        self.backwards = kind(inputs, hidden // 2)
        self.mix = nn.Linear(hidden, hidden) if mixed else None

    def forward(self, inputs_TBI: Tensor, reversal_TB: Tensor) -> Tensor:
        """Outputs [T, B, H], meaningless at padding. `reversal_TB` comes from `reversal_index`."""
        batch = inputs_TBI.shape[1]
        ahead = self.forwards.sequence(inputs_TBI, self.forwards.initial_state(batch))
        reversed_TBI = reverse(inputs_TBI, reversal_TB)
        back = self.backwards.sequence(reversed_TBI, self.backwards.initial_state(batch))
        both = torch.cat([ahead, reverse(back, reversal_TB)], dim=2)
        return both if self.mix is None else linear(both, self.mix.weight, self.mix.bias)


def reversal_index(lengths_B: Tensor, steps: int) -> Tensor:
    """Where the element at each place of the reversed batch comes from: integers [T, B], indices into T*B places.

    Padding stays where it is, so the index is its own inverse.
    """
    t = torch.arange(steps, device=lengths_B.device).unsqueeze(1)
    steps_TB = torch.where(t < lengths_B, lengths_B - 1 - t, t)
    return steps_TB * len(lengths_B) + torch.arange(len(lengths_B), device=lengths_B.device)


def reverse(sequence_TBD: Tensor, reversal_TB: Tensor) -> Tensor:
    """Each sequence from its last step to its first, padding left where it is."""
    result: Tensor = _Permute.apply(sequence_TBD, reversal_TB)  # type: ignore[no-untyped-call]
    return result


class _Permute(torch.autograd.Function):
    """Reorders by an index that is its own inverse, so that the backward pass gathers too, and does not scatter."""

    @staticmethod
    def forward(ctx: Any, sequence: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        return sequence.flatten(0, 1).index_select(0, index.flatten()).view_as(sequence)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        return grad.flatten(0, 1).index_select(0, index.flatten()).view_as(grad), None
