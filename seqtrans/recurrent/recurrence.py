"""A step of a recurrence: products with weights, and functions of their results.

Shapes: T steps, B batch, H hidden units, G units of all gates together (H per gate).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqtrans.recurrent.passes import TracedFunction

GATED = -1
"""As `Product.reads`: the product reads the result of `gated`."""


@dataclass(frozen=True)
class Product:
    """A weight [rows, H] times a state, plus its share of the projected inputs W_x x + b."""

    rows: int
    inputs: int
    """Columns of the projected inputs that are its share: as many as rows; or fewer, for the first rows; or none.

    Products take their columns in order, each the next ones.
    """
    reads: int = 0
    """The number of the state that the weight is multiplied with, or GATED."""

    def added(self, columns: Tensor) -> list[Tensor] | list[None]:
        """What is added to the product at each step: [B, rows], contiguous, because addmm is then fastest; or None."""
        if not self.inputs:
            return [None] * len(columns)
        if self.inputs < self.rows:
            zeros = columns.new_zeros(*columns.shape[:2], self.rows - self.inputs)
            columns = torch.cat([columns, zeros], dim=2)
        return list(columns.contiguous().unbind(0))


@dataclass(frozen=True)
class Recurrence:
    """A step: its products, then `combine`.

    Its gates are the results of the products, in order, and then the split columns: the last columns of the projected
    inputs, which are added to no product.
    """

    products: list[Product]
    split_columns: int
    """How many columns of the projected inputs are added to no product. 0 if a product reads the result of `gated`."""
    states: int
    combine: TracedFunction
    """Each gate [B, H], states before the step, extra parameters -> states after it."""
    gated: TracedFunction
    """The gates of all products but the last, states, extra parameters -> what the last product reads."""

    def __post_init__(self) -> None:
        if any(product.reads == GATED for product in self.state_products):
            raise ValueError("only the last product may read the result of `gated`")
        if self.has_gated_product and (self.split_columns or not self.state_products):
            raise ValueError("if the last product reads the result of `gated`, all other gates must be products")

    @property
    def has_gated_product(self) -> bool:
        """Whether the last product reads the result of `gated`."""
        return self.products[-1].reads == GATED

    @property
    def state_products(self) -> list[Product]:
        """The products that read states."""
        return self.products[: len(self.products) - self.has_gated_product]

    def rows(self, parameter: Tensor) -> list[Tensor]:
        """A parameter [G] in parts, one per product."""
        return list(parameter.split([product.rows for product in self.products]))

    def columns(self, projected: Tensor) -> list[Tensor]:
        """The projected inputs [..., G] in parts, one per product, and last the split columns."""
        return list(projected.split([*(product.inputs for product in self.products), self.split_columns], dim=-1))
