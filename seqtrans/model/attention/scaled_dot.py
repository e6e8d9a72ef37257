"""Dot-product attention, scaled."""

from __future__ import annotations

from torch import Tensor

from seqtrans.model.attention.dot import Dot


class ScaledDot(Dot):
    """score(q, k) = q . k / sqrt(size of q) (Vaswani et al. 2017, section 3.2.1)."""

    def scores(self, query_BTH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Products of each query with each memory vector, scaled to a variance of 1."""
        return super().scores(query_BTH * self.query_size**-0.5, keys_BSA)


PLUGIN = ScaledDot
