"""What happens in a step of a recurrence: products, and functions of their results.

Shapes: T steps, B batch, H hidden units, G gates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.recurrent.passes import TracedFunction

GATED = -1
"""In place of a state's number: what the cell's `gated` gives."""


@dataclass(frozen=True)
class Product:
    """A weight [rows, H] times what it reads, plus the next columns of the inputs' part of the gates."""

    rows: int
    inputs: int
    """Columns of the inputs' part: as many as rows, or fewer, which then go to the first rows, or none."""
    reads: int = 0
    """The number of the state that it is multiplied with, or GATED."""

    def added(self, columns: Tensor) -> list[Tensor] | list[None]:
        """What is added in each step, [B, rows]: it lies in one piece, since products read it fastest so."""
        if not self.inputs:
            return [None] * len(columns)
        if self.inputs < self.rows:
            zeros = columns.new_zeros(*columns.shape[:2], self.rows - self.inputs)
            columns = torch.cat([columns, zeros], dim=2)
        return list(columns.contiguous().unbind(0))


@dataclass(frozen=True)
class Recurrence:
    """What happens in a step.

    Its gates are what the products give, one after the other, and then the columns of the inputs' part that belong to
    no product.
    """

    products: list[Product]
    split_columns: int
    """How many of the last columns of the inputs' part belong to no product; none if a product reads `gated`."""
    states: int
    combine: TracedFunction
    """Gates one by one, state, own parameters -> the state after."""
    gated: TracedFunction
    """The gates of the products before the last, state, own parameters -> what the last product reads."""

    def __post_init__(self) -> None:
        if any(product.reads == GATED for product in self.first_products):
            raise ValueError("only the last product may read what `gated` gives")
        if self.has_gated_product and (self.split_columns or not self.first_products):
            raise ValueError("where the last product reads what `gated` gives, all other gates are products")

    @property
    def has_gated_product(self) -> bool:
        """Whether the last product reads what `gated` gives."""
        return self.products[-1].reads == GATED

    @property
    def first_products(self) -> list[Product]:
        """The products that read states."""
        return self.products[: len(self.products) - self.has_gated_product]

    def rows(self, parameter: Tensor) -> list[Tensor]:
        """A parameter of the gates' rows, product by product."""
        return list(parameter.split([product.rows for product in self.products]))

    def columns(self, projected: Tensor) -> list[Tensor]:
        """The inputs' part of the gates, product by product, and last the columns that belong to none."""
        return list(projected.split([*(product.inputs for product in self.products), self.split_columns], dim=-1))
