"""What happens in a step of a recurrence: products, and functions of their results.

Shapes: T steps, B batch, H hidden units, G gates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.recurrent.derivation import Derivation

LATE = -1
"""In place of a state's number: what `gated` gives."""


@dataclass(frozen=True)
class Product:
    """A weight [rows, H] times what is read, plus the next columns of the inputs' part of the gates."""

    rows: int
    inputs: int
    """Columns: as many as rows, or fewer, which then go to the first rows, or none."""
    reads: int = 0
    """The number of the state that is read, or LATE."""

    def added(self, columns: Tensor) -> list[Tensor] | list[None]:
        """What is added in each step, [B, rows]: it lies in one piece, since products read it fastest so."""
        if not self.inputs:
            return [None] * len(columns)
        if self.inputs < self.rows:
            none = columns.new_zeros(*columns.shape[:2], self.rows - self.inputs)
            columns = torch.cat([columns, none], dim=2)
        return list(columns.contiguous().unbind(0))


@dataclass(frozen=True)
class Recurrence:
    """What happens in a step.

    Gates are what the products give, one after the other, and then the columns of the inputs' part that stand alone.
    """

    products: list[Product]
    alone: int
    """So many of the last columns go to no product; there are such only where no product reads `gated`."""
    states: int
    combine: Derivation
    """Gates one by one, state, own parameters -> the state after."""
    gated: Derivation
    """The other products' gates, state, own parameters -> what that one reads."""

    def __post_init__(self) -> None:
        if any(product.reads == LATE for product in self.early):
            raise ValueError("only the last product may read what `gated` gives")
        if self.late and (self.alone or not self.early):
            raise ValueError("where the last product reads what `gated` gives, all other gates are products")

    @property
    def late(self) -> bool:
        """Whether the last product reads `gated`."""
        return self.products[-1].reads == LATE

    @property
    def early(self) -> list[Product]:
        """The products before that."""
        return self.products[: len(self.products) - self.late]

    def rows(self, parameter: Tensor) -> list[Tensor]:
        """Those of each product."""
        return list(parameter.split([product.rows for product in self.products]))

    def columns(self, projected: Tensor) -> list[Tensor]:
        """The inputs' part of the gates, product by product, and what stands alone."""
        return list(projected.split([*(product.inputs for product in self.products), self.alone], dim=-1))
