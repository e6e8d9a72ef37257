"""What a model can be for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TaskKind:
    """A task as the rest of the program sees it."""

    noun: str
    """What a model of this task is called."""
    verb: str
    """What it does with a text."""
    commands: tuple[str, ...]
    """Commands that use it."""
    preset: str
    """The preset to begin from."""
    inapplicable: Mapping[str, tuple[str, ...]]
    """Settings, by section, that do not apply to it."""


TASKS = {
    "translate": TaskKind("translator", "translate", ("translate -m",), "base", {"model": ("cache",)}),
    "lm": TaskKind(
        "language model",
        "score",
        ("score --model", "generate -m"),
        "lm",
        {
            "text": ("source_type", "joint", "max_length", "shortlist"),
            "model": (
                "attention",
                "bridge",
                "input_feeding",
                "encoder_layers",
                "encoder_transitions",
                "mixed_directions",
            ),
        },
    ),
    "tag": TaskKind(
        "tagger",
        "tag",
        ("translate -m",),
        "tag",
        {
            "text": ("shortlist",),
            "model": ("attention", "bridge", "input_feeding", "cache", "decoder_layers", "decoder_transitions"),
            "training": ("bptt",),
        },
    ),
}
