"""The mean of several trainings' weights, such as the last few of one (Junczys-Dowmunt, Dwojak & Sennrich 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch

from seqtrans.errors import UsageError
from seqtrans.model.trained import LENGTH_RATIO, TrainedModel
from seqtrans.model.weights import set_weights, weights_of


def averaged(models: Sequence[tuple[Path, TrainedModel]]) -> TrainedModel:
    """A new model whose parameters are the mean of those of `models`; each of them is named by its path in messages.

    Its buffers, which are not trained, such as the settings of a language model's cache, are copies of the first
    model's. Its history has what theirs agree on and, of translators, the largest length ratio; its shortlist is
    theirs if all have the same.

    Raises:
        UsageError: their architectures or subwords differ.
    """
    (first_path, first), *others = models
    for path, model in others:
        if model.config.model != first.config.model:
            raise UsageError(f"{path} and {first_path} differ in architecture: there is no mean of them")
        if side := model.differing_side(first):
            raise UsageError(f"{path} and {first_path} differ in {side} subwords: there is no mean of them")
    weights = [weights_of(model.network) for _, model in models]
    mean = {
        name: torch.stack([tensors[name].double() for tensors in weights]).mean(dim=0).to(tensor.dtype)
        for name, tensor in weights[0].items()
    }
    network = deepcopy(first.network).eval()
    network.zero_grad()
    set_weights(network, mean)
    agreed = {
        key: value
        for key, value in first.history.items()
        if all(model.history.get(key) == value for _, model in others)
    }
    if first.config.model.task == "translate":
        agreed[LENGTH_RATIO] = max(model.length_ratio for _, model in models)
    shortlists = [{} if model.shortlist is None else model.shortlist.tensors() for _, model in models]
    same = all(
        shortlist.keys() == shortlists[0].keys()
        and all(torch.equal(tensor, shortlists[0][key]) for key, tensor in shortlist.items())
        for shortlist in shortlists
    )
    return replace(
        first,
        network=network,
        history={**agreed, "average_of": len(models)},
        shortlist=first.shortlist if same else None,
    )
