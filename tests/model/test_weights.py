"""Loading fills a network that has no memory yet: cheap, shared where it was shared, complete, and alone."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seqtrans.config.schema import Config, ModelConfig, TrainingConfig
from seqtrans.errors import DataError, UsageError
from seqtrans.model.file import load_model, save_model
from seqtrans.model.trained import TrainedModel, build_network, cell_count, fresh_model, network_of
from seqtrans.model.weights import assign, first_meta_tensor, first_mismatch, stored_tensors, weights_of
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.custom import CustomCell, load_cell
from seqtrans.text.subword_training import learn_subwords
from tests.conftest import ROOT, seqtrans_environment

LETTERS = learn_subwords(["abc bca cab"], "char", 100)


class Sharing(nn.Module):
    """Two modules with one parameter and one buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(3, 3), nn.Linear(3, 3)
        self.other.weight = self.one.weight
        self.one.register_buffer("scale", torch.arange(3))
        self.other.register_buffer("scale", self.one.get_buffer("scale"))
        self.fixed = nn.Parameter(torch.ones(2), requires_grad=False)


def test_what_modules_share_stays_shared_and_nothing_is_copied() -> None:
    tensors = stored_tensors(Sharing())
    assert set(tensors) == {"one.weight", "one.bias", "one.scale", "other.bias", "fixed"}
    with torch.device("meta"):
        network = Sharing()
    assert first_meta_tensor(network) is not None
    assign(network, tensors)
    assert network.other.weight is network.one.weight
    assert network.other.scale is network.one.scale is tensors["one.scale"]
    assert network.one.weight.data_ptr() == tensors["one.weight"].data_ptr()
    assert (network.one.weight.requires_grad, network.fixed.requires_grad) == (True, False)
    assert first_meta_tensor(network) is None


def test_a_mismatch_is_named() -> None:
    network = Sharing()
    tensors = stored_tensors(network)
    assert first_mismatch(network, tensors) is None
    assert first_mismatch(network, {**tensors, "more": torch.ones(1)}) == "more"
    assert first_mismatch(network, {**tensors, "one.scale": torch.ones(3)}) == "one.scale"
    assert first_mismatch(network, {**tensors, "fixed": torch.ones(3)}) == "fixed"
    del tensors["other.bias"]
    assert first_mismatch(network, tensors) == "other.bias"


def test_tensors_without_values_are_seen_wherever_a_module_keeps_them() -> None:
    module = nn.Module()
    assert first_meta_tensor(module) is None
    meta = torch.ones(1, device="meta")
    values: list[Any] = [meta, [meta], {"a": (meta,)}]
    for value in values:
        module.kept = value
        assert first_meta_tensor(nn.ModuleList([module])) == "0.kept"


LARGEST = ModelConfig(embedding=65_536, hidden=65_536, tied_embeddings=False)
ENCODER: dict[str, Any] = {"encoder_layers": 4, "encoder_transitions": 3, "mixed_directions": True}
DECODER: dict[str, Any] = {"decoder_layers": 6, "decoder_transitions": 5}
LARGE = {
    "translate": Config(model=replace(LARGEST, attention="multi-head-additive", **ENCODER, **DECODER)),
    "lm": Config(model=replace(LARGEST, task="lm", **DECODER), training=TrainingConfig(metric="loss", bptt=35)),
    "tag": Config(model=replace(LARGEST, task="tag", **ENCODER)),
}


@pytest.mark.parametrize("task", LARGE)
def test_sizes_cost_nothing_before_they_are_checked(task: str) -> None:
    config = LARGE[task]
    with torch.device("meta"):
        network = build_network(config, LETTERS, LETTERS)
    assert sum(isinstance(module, Cell) for module in network.modules()) == cell_count(config.model)
    assert sum(tensor.numel() for tensor in weights_of(network).values()) > 1e11
    with pytest.raises(DataError, match="does not fit"):
        network_of(config, LETTERS, LETTERS, {"output_bias": torch.zeros(LETTERS.size)})


def test_loading_imports_no_compiler_of_torch() -> None:
    """Random numbers and sums on the meta device would: as long as the rest of the start."""
    code = """
import sys, torch
from seqtrans.config.schema import ModelConfig
from seqtrans.model.attention import attention_names
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.recurrent.cells import cell_names, variants
configs = [ModelConfig(cell=variant) for name in cell_names() for variant in variants(name)]
configs += [ModelConfig(attention=name, mixed_directions=True) for name in attention_names()]
with torch.device("meta"):
    LanguageNetwork(ModelConfig(task="lm", cache=5), 9)
    for config in configs:
        Seq2Seq(config, 9, 9, joint=False)
print(*({"torch._dynamo", "sympy", "torch._inductor"} & set(sys.modules) - before))
"""
    before = "import sys, seqtrans.recurrent.cells.lstm\nbefore = set(sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", before + code], capture_output=True, text=True, env=seqtrans_environment(), cwd=ROOT,
        timeout=120, check=True,
    )  # fmt: skip
    found = set(run.stdout.split())
    if torch.__version__.startswith("2.4."):
        found.discard("sympy")  # its tensors on the meta device need it
    assert found == set()


def test_another_thread_gets_its_initial_weights_while_one_loads(tmp_path: Path) -> None:
    path, config = tmp_path / "m", Config(model=ModelConfig(embedding=6, hidden=8, encoder_layers=4))
    save_model(path, fresh_model(config, LETTERS, LETTERS))
    torch.default_generator.manual_seed(3)
    expected = weights_of(build_network(config, LETTERS, LETTERS))
    done = threading.Event()

    def load() -> None:
        while not done.is_set():
            load_model(path)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        for _ in range(20):
            # loading takes no random numbers from the generator that threads share
            torch.default_generator.manual_seed(3)
            weights = weights_of(build_network(config, LETTERS, LETTERS))
            assert all(torch.equal(weights[name], tensor) for name, tensor in expected.items())
    finally:
        done.set()
        thread.join()


CELL = """
import torch
from torch import nn
from seqtrans.recurrent.gated import GatedCell

class Mine(GatedCell):
    gates = 1

    def __init__(self, inputs, hidden):
        super().__init__(inputs, hidden)
        {made}

    def combine(self, gates, state, *own):
        {used}
        return (torch.tanh(gates[0]) * used + 0.5 * state[0],)
"""
CELLS = {
    "linspace": ("self.scale = nn.Parameter(torch.linspace(0, 4, hidden))", "used = own[0]"),
    "random": ("self.scale = nn.Parameter(torch.randn(hidden) * 0.5)", "used = own[0]"),
    "buffer of numbers": ("self.register_buffer('mask', torch.arange(hidden) % 2)", "used = self.mask + 1"),
    "not saved": ("self.register_buffer('mask', torch.ones(hidden) / 3, persistent=False)", "used = self.mask"),
    "plain tensor": ("self.scale = torch.linspace(0, 4, hidden)", "used = self.scale.to(gates[0].dtype)"),
    "plain list": ("self.scales = [torch.ones(hidden) / 3]", "used = self.scales[0].to(gates[0].dtype)"),
}


def outputs(model: TrainedModel) -> Tensor:
    with torch.no_grad():
        network = model.seq2seq
        memory = network.encode(torch.tensor([[4], [5]]), torch.tensor([2]))
        return network.logits(network.readouts(torch.tensor([[2], [4]]), memory))


def user_cell_model(folder: Path, made: str, used: str) -> tuple[TrainedModel, CustomCell]:
    (folder / "mine.py").write_text(CELL.format(made=made, used=used), "utf-8")
    name = f"{folder / 'mine.py'}:Mine"
    cell = load_cell(name)
    config = Config(model=ModelConfig(cell=name, embedding=6, hidden=8))
    model = fresh_model(config, LETTERS, LETTERS, cell.kind)
    model.network.eval()
    return model, cell


@pytest.mark.parametrize("kind", CELLS)
def test_a_users_cell_comes_back_whole(tmp_path: Path, kind: str) -> None:
    model, cell = user_cell_model(tmp_path, *CELLS[kind])
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.normal_()
    save_model(tmp_path / "m", model)
    loaded = load_model(tmp_path / "m", [cell])
    assert first_meta_tensor(loaded.network) is None
    assert torch.equal(outputs(loaded), outputs(model))


def test_a_users_cell_that_could_not_be_loaded_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    made = "self.scale = nn.Parameter(torch.ones(hidden) * float(torch.ones(3).sum()))"
    with pytest.raises(UsageError, match="cannot be made on torch's meta device") as caught:
        user_cell_model(tmp_path, made, "used = own[0]")
    assert "\n" not in str(caught.value)
