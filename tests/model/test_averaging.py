"""The mean of models is a new model; those that it is made of stay as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from seqtrans.config.schema import Config, ModelConfig, TrainingConfig
from seqtrans.model.averaging import averaged
from seqtrans.model.shortlist import Shortlist
from seqtrans.model.trained import TrainedModel, fresh_model
from seqtrans.model.weights import stored_tensors, weights_of
from seqtrans.text.subword_training import learn_subwords

LETTERS = learn_subwords(["abc bca cab"], "char", 100)


def make_model(seed: int, task: str = "translate") -> TrainedModel:
    torch.default_generator.manual_seed(seed)
    sizes = ModelConfig(task=task, embedding=4, hidden=6, cache=5 * (task == "lm"), tied_embeddings=task != "tag")
    training = TrainingConfig(metric="loss", bptt=35) if task == "lm" else TrainingConfig()
    model = fresh_model(Config(model=sizes, training=training), LETTERS, LETTERS)
    for parameter in model.network.parameters():
        torch.nn.init.normal_(parameter)
    return replace(model, history={"steps": seed, "length_ratio": 1.0 + seed, "seqtrans": "1"})


def copies(model: TrainedModel) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in stored_tensors(model.network).items()}


def mean_of(*models: TrainedModel) -> TrainedModel:
    return averaged([(Path(f"{number}"), model) for number, model in enumerate(models)])


@pytest.mark.parametrize("task", ["translate", "lm", "tag"])
def test_the_models_stay_as_they_are_and_share_no_memory_with_the_mean(task: str) -> None:
    models = [make_model(seed, task) for seed in (1, 2, 3)]
    if task == "lm":
        for number, model in enumerate(models, 1):
            assert model.language_model.cache is not None
            model.language_model.cache.fit(share=0.1 * number, sharpness=5.0)
    before = [copies(model) for model in models]
    mean = mean_of(*models)
    weights = weights_of(mean.network)
    assert weights.keys() == weights_of(models[0].network).keys()
    for name, tensor in weights.items():
        expected = torch.stack([tensors[name].double() for tensors in before]).mean(dim=0)
        torch.testing.assert_close(tensor.double(), expected, rtol=0, atol=1e-6)
    for name, buffer in mean.network.named_buffers():
        assert torch.equal(buffer, before[0][name])
    with torch.no_grad():
        for tensor in stored_tensors(mean.network).values():
            tensor.fill_(7)
    for model, earlier in zip(models, before, strict=True):
        assert all(torch.equal(tensor, earlier[name]) for name, tensor in stored_tensors(model.network).items())


def test_what_is_shared_in_a_model_is_shared_in_the_mean() -> None:
    mean = mean_of(make_model(1), make_model(2)).seq2seq
    assert mean.output_weight is mean.target_embedding is mean.source_embedding
    assert not mean.training


def losses(model: TrainedModel) -> Tensor:
    network = model.seq2seq.eval()
    memory = network.encode(torch.tensor([[4], [5]]), torch.tensor([2]))
    return network.logits(network.readouts(torch.tensor([[2], [4]]), memory)).square()


def test_models_that_have_been_trained_and_have_a_users_cell_have_a_mean() -> None:
    """No class of a cell is needed for the mean, and what a kernel keeps for a network is not shared."""
    models = [make_model(seed) for seed in (1, 2)]
    config = replace(models[0].config, model=replace(models[0].config.model, cell="elsewhere/mine.py:Mine"))
    models = [replace(model, config=config) for model in models]
    for model in models:
        losses(model).sum().backward()
    mean = mean_of(*models)
    assert all(parameter.grad is None for parameter in mean.network.parameters())
    gradients = torch.autograd.grad(losses(mean).sum(), list(mean.network.parameters()))
    expected = replace(models[0], config=config)
    with torch.no_grad():
        for name, parameter in expected.network.named_parameters():
            parameter.copy_(weights_of(mean.network)[name])
    assert torch.equal(losses(mean), losses(expected))
    for one, other in zip(
        gradients, torch.autograd.grad(losses(expected).sum(), list(expected.network.parameters())), strict=True
    ):
        assert torch.equal(one, other)


def test_the_history_is_what_all_agree_on() -> None:
    mean = mean_of(make_model(1), make_model(2))
    assert mean.history == {"seqtrans": "1", "length_ratio": 3.0, "average_of": 2}


def test_a_shortlist_stays_where_all_have_the_same() -> None:
    translations = np.full((LETTERS.size, 2), 5, dtype=np.int32)
    first, second = (Shortlist.of(translations, np.array([frequent], dtype=np.int32)) for frequent in (4, 5))
    models = [replace(make_model(seed), shortlist=first) for seed in (1, 2)]
    assert mean_of(*models).shortlist is first
    assert mean_of(models[0], replace(models[1], shortlist=second)).shortlist is None
    assert mean_of(models[0], replace(models[1], shortlist=None)).shortlist is None
