"""What is in a model, for people and programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from seqtrans.model.trained import TrainedModel
from seqtrans.model.weights import weights_of


def describe(model: TrainedModel) -> dict[str, Any]:
    """Sizes, architecture, vocabularies, history and settings of a model, ready for JSON."""
    inapplicable = model.task.inapplicable["model"]
    parts: dict[str, int] = {}
    for name, tensor in weights_of(model.network).items():
        part = name.split(".")[0]
        parts[part] = parts.get(part, 0) + tensor.numel()
    sides = (("source", model.source_subwords), ("target", model.target_subwords))
    return {
        "parameters": sum(parts.values()),
        "parameters_by_part": parts,
        "architecture": {k: value for k, value in asdict(model.config.model).items() if k not in inapplicable},
        "vocabulary": {side: {"type": s.type, "size": s.size, "sha256": s.digest} for side, s in sides},
        "joint_vocabulary": model.source_subwords.digest == model.target_subwords.digest,
        "history": model.history,
        "config": {key: value for key, value in model.config.to_dict().items() if key != "model"},
    }
