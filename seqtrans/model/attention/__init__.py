"""Attentions, one file each."""

from __future__ import annotations

from typing import cast

from seqtrans import plugins
from seqtrans.model.attention.base import Attention


def attention_names() -> list[str]:
    """The names of all attentions."""
    return plugins.names(__name__)


def find_attention(name: str) -> type[Attention]:
    """The class of the attention `name`.

    Raises:
        UsageError: there is no such attention.
    """
    return cast(
        type[Attention],
        plugins.load(__name__, "attention", name, plugins.subclass_of(Attention)),
    )
