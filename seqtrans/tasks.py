"""What a model can be for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TaskKind:
    """What all that depends on the task has to know of it."""

    noun: str
    """What its models are."""
    verb: str
    """What they do with a text."""
    commands: tuple[str, ...]
    """What they are used with."""
    preset: str
    foreign: Mapping[str, tuple[str, ...]]
    """Settings, by section, that have no meaning for them."""


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
