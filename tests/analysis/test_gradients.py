"""Gradient norms of whole models, against finite differences: a layer's output is changed a little at one step."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seqtrans.analysis.gradients import MAX_STEPS, GradientMeter
from seqtrans.config.schema import Config, ModelConfig, TrainingConfig
from seqtrans.errors import DataError, UsageError
from seqtrans.io.line_report import LineReport
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.model.trained import TrainedModel, build_network
from seqtrans.recurrent.cells import find_cell
from seqtrans.recurrent.cells.base import Cell, State
from seqtrans.recurrent.observation import record_outputs
from seqtrans.text.batches import pad_sources
from seqtrans.text.subword_training import learn_subwords
from seqtrans.text.subwords import BOS_ID, EOS_ID

LETTERS = learn_subwords(["abc def", "fed cba"], "char", 100)
TEXT = "fade"
SOURCE = "bead"


def changeable(base: str) -> type[Cell]:
    """A subclass of the cell `base` that adds `change[1]` to its output at step `change[0]`."""

    class Changeable(find_cell(base)):  # type: ignore[misc]
        change: tuple[int, Tensor] | None = None
        count = 0

        def step(self, projected: Tensor, state: State) -> State:
            h, *others = super().step(projected, state)
            if self.change is not None and self.change[0] == self.count:
                h = h + self.change[1]
            self.count += 1
            return h, *others

    return Changeable


def make_model(config: ModelConfig, cell: type[Cell] | None = None) -> TrainedModel:
    torch.default_generator.manual_seed(81)
    training = TrainingConfig(metric="loss", bptt=35) if config.task == "lm" else TrainingConfig()
    whole = Config(model=config, training=training)
    network = build_network(whole, LETTERS, LETTERS, cell).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.5)
    return TrainedModel(whole, network, LETTERS, LETTERS)


def last_loss(model: TrainedModel) -> float:
    """L_T of the text, computed step by step."""
    network, ids = model.network, LETTERS.encode(TEXT)
    if isinstance(network, LanguageNetwork):
        state = network.start(1)
        for number in [EOS_ID, *ids]:
            with record_outputs(network):  # so that it goes step by step
                logits, state = network.predict(torch.tensor([[number]]), state)
            logits = logits[0]
    else:
        assert isinstance(network, Seq2Seq)
        memory = network.encode(*pad_sources([LETTERS.encode(SOURCE)]))
        decoder = network.start(memory)
        for number in [BOS_ID, *ids]:
            logits, decoder, _ = network.step(torch.tensor([number]), decoder, memory)
    return -float(logits.log_softmax(dim=1)[0, EOS_ID])


def by_finite_differences(model: TrainedModel, layer: Cell, step: int) -> float:
    size, slopes = 1e-6, []
    with torch.no_grad():
        for unit in torch.eye(layer.hidden, dtype=torch.float64):
            losses = []
            for sign in (1, -1):
                layer.count, layer.change = 0, (step, sign * size * unit)  # type: ignore[assignment]
                losses.append(last_loss(model))
            slopes.append((losses[0] - losses[1]) / (2 * size))
    layer.change = None  # type: ignore[assignment]
    return float(np.linalg.norm(slopes))


CONFIGS: dict[str, dict[str, Any]] = {
    "lm": {"task": "lm", "decoder_layers": 2, "tied_embeddings": False},
    "translator": {"decoder_layers": 2},
    "feeding": {"decoder_layers": 2, "input_feeding": True, "attention": "additive"},
}
EACH_ONCE = (("rnn", "lm"), ("lstm", "translator"), ("gru", "feeding"))
THE_OTHERS = (pair for pair in itertools.product(("rnn", "lstm", "gru"), CONFIGS) if pair not in EACH_ONCE)


@pytest.mark.parametrize(
    ("base", "name"), [*EACH_ONCE, *(pytest.param(*pair, marks=pytest.mark.prove) for pair in THE_OTHERS)]
)
def test_norms_are_those_of_finite_differences(base: str, name: str) -> None:
    config = ModelConfig(cell=base, embedding=3, hidden=4, dropout=0.4, **CONFIGS[name])
    model = make_model(config, changeable(base))
    meter = GradientMeter(model)
    line = TEXT if isinstance(model.network, LanguageNetwork) else f"{SOURCE}\t{TEXT}"
    meter.add([line], LineReport("text"), 1)
    profile = meter.profile("text")
    steps = len(TEXT) + 2  # the space mark at the word's beginning, and the first input, BOS or EOS
    assert profile.lines_D.tolist() == [1] * steps
    network = model.network
    assert isinstance(network, LanguageNetwork | Seq2Seq)
    layers = network.layers if isinstance(network, LanguageNetwork) else network.decoder.layers
    assert len(layers) == len(profile.norms_LD)
    for layer, norms_D in zip(layers, profile.norms_LD, strict=True):
        assert isinstance(layer, Cell)
        for distance, norm in enumerate(norms_D):
            assert norm == pytest.approx(by_finite_differences(model, layer, steps - 1 - distance), rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("task", ["lm", "translate"])
def test_the_means_are_over_the_lines_that_are_so_long(task: str) -> None:
    model = make_model(ModelConfig(task=task, cell="gru", embedding=5, hidden=6, decoder_layers=2))
    lines = ["ab", "", "fed cab", "  ", "abcdef"]
    if task == "translate":
        lines = [f"abc{line}\t{line}" if line.strip() else line for line in lines]
    together, alone = GradientMeter(model), []
    together.add(lines, LineReport("text"), 1)
    for line in lines:
        meter = GradientMeter(model)
        meter.add([line], LineReport("text"), 1)
        if line.strip():
            alone.append(meter.profile("text"))
    found = together.profile("text")
    assert found.blank == 2
    assert found.lines_D.tolist() == [sum(d < len(one.lines_D) for one in alone) for d in range(len(found.lines_D))]
    for distance in range(len(found.lines_D)):
        norms = [one.norms_LD[:, distance] for one in alone if distance < len(one.lines_D)]
        np.testing.assert_allclose(found.norms_LD[:, distance], np.mean(norms, axis=0), rtol=1e-10)


def test_long_lines_are_cut_and_told_and_distances_shown_are_few() -> None:
    model = make_model(ModelConfig(task="lm", cell="rnn", embedding=5, hidden=6, decoder_layers=1))
    meter, report = GradientMeter(model), LineReport("text")
    meter.add(["ab", "a" * (MAX_STEPS - 2), "a" * 600], report, 7)
    profile = meter.profile("text")
    assert profile.lines_D[MAX_STEPS - 1] == 2
    assert list(report.warnings()) == ["text:9: 1 line(s) longer than 500 subwords, the rest left out"]
    assert list(profile.distances()) == [0, 1, 2, 5, 10, 20, 50, 100, 200, 500]


def test_what_cannot_be_measured_is_refused() -> None:
    translator = make_model(ModelConfig(cell="rnn", embedding=5, hidden=6))
    for line in ("abc", "a\tb\tc"):
        with pytest.raises(DataError, match=r"text:4: has \d TABs; one between source and target is needed"):
            GradientMeter(translator).add([line], LineReport("text"), 4)
    meter = GradientMeter(translator)
    meter.add(["", "a\t", "\tb"], LineReport("text"), 1)
    with pytest.raises(DataError, match="text: there are no lines to measure but 3 blank ones"):
        meter.profile("text")
    other = TrainedModel(translator.config, torch.nn.Linear(1, 1), LETTERS, LETTERS)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="for language models and translators"):
        GradientMeter(other)
