"""Where torch lacks a private or experimental function, results are the same, and one warning says what is slower."""

from __future__ import annotations

import importlib
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seqtrans.device import choose_compute
from seqtrans.recurrent import norm, packed_matrix, packing, passes, products
from seqtrans.recurrent.cells import lstm
from seqtrans.recurrent.cells.base import Cell
from seqtrans.recurrent.packing import PackedWeights, packing_works
from seqtrans.recurrent.probes import probe
from tests.conftest import seqtrans_environment
from tests.recurrent.running import Run, assert_same, by_loop, make_cell, make_data, outputs_and_gradients

PROBES = (
    passes.can_trace, norm.has_native_norm, lstm._has_library_kernel, products._has_pass_numbers,
    packing.packing_works, packing._has_vnni, packed_matrix._has_layout, lstm._has_bfloat16_kernel,
)  # fmt: skip

CELLS = ("gru", "lstm", "lstm-layernorm", "lstm-peephole-full")


@pytest.fixture(autouse=True)
def _no_answers() -> Iterator[None]:
    """Every probe is tried anew, here and by the tests that follow."""
    forget()
    yield
    forget()


def forget() -> None:
    for one in PROBES:
        one.cache_clear()  # type: ignore[attr-defined]
    sys.modules.pop("seqtrans.recurrent.tracing", None)  # which imports some of the functions


def take_away(monkeypatch: pytest.MonkeyPatch, owner: str, name: str) -> None:
    """Let torch be without a function."""
    if not owner.startswith("torch.ops."):
        monkeypatch.delattr(importlib.import_module(owner), name)
        return
    namespace = getattr(torch.ops, owner.rpartition(".")[2])
    kind, missing = type(namespace), (namespace, name)
    original = kind.__getattr__

    def without(self: object, attribute: str) -> object:
        if (self, attribute) == missing:
            raise AttributeError(attribute)
        return original(self, attribute)

    getattr(namespace, name)  # from now on an attribute of its own
    monkeypatch.delattr(namespace, name)
    monkeypatch.setattr(kind, "__getattr__", without)


def by_deferral(cell: Cell) -> Run:
    return lambda inputs, state: Cell.unroll(cell, inputs, state)[0]


def run(name: str, deferred: bool) -> dict[str, Tensor]:
    cell = make_cell(name, torch.float64)
    inputs, state = make_data(cell, 4, torch.float64)
    return outputs_and_gradients(cell, by_deferral(cell) if deferred else cell.sequence, inputs, state)


@pytest.mark.parametrize(
    ("owner", "name", "words"),
    [
        ("torch.fx.experimental.proxy_tensor", "make_fx", "steps run one by one"),
        ("torch._guards", "TracingContext", "steps run one by one"),
        ("torch._ops", "OpOverload", "steps run one by one"),
        ("torch.fx.node", "map_arg", "steps run one by one"),
        ("torch.ops.aten", "_unsafe_view", "steps run one by one"),
        ("torch._C", "_VariableFunctions", ""),
        ("torch", "native_layer_norm", "normalised gates take longer"),
        ("torch.ops.aten", "native_layer_norm_backward", "normalised gates take longer"),
        ("torch", "lstm", "the kernel of other cells"),
        ("torch._C", "_current_graph_task_id", "added up step by step"),
    ],
)
def test_cells_are_the_same(
    owner: str, name: str, words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each warning comes once, and none comes where there is nothing to warn of."""
    expected = {(cell, deferred): run(cell, deferred) for cell in CELLS for deferred in (False, True)}
    forget()
    take_away(monkeypatch, owner, name)
    with caplog.at_level(logging.WARNING, "seqtrans"):
        for (cell, deferred), results in expected.items():
            assert_same(run(cell, deferred), results, 1e-11)
    warnings = [record.getMessage() for record in caplog.records if record.name.startswith("seqtrans")]
    assert len(warnings) == bool(words)
    assert all(words in warning and "\n" not in warning for warning in warnings)


def test_a_training_starts_where_all_of_them_are_missing_from_the_start() -> None:
    """In a process of its own: a module that needs one of them could not even be imported."""
    code = """
import torch, torch._guards, torch.fx.experimental.proxy_tensor, torch.fx.node
for owner, name in (
    (torch.fx.experimental.proxy_tensor, "make_fx"), (torch._guards, "TracingContext"),
    (torch, "native_layer_norm"), (torch, "lstm"),
    (torch._C, "_current_graph_task_id"), (torch.cpu, "_is_vnni_supported"), (torch, "_foreach_norm"),
    (torch.cpu, "_is_amx_tile_supported"), (torch.cpu, "_is_avx512_bf16_supported"),
):
    if hasattr(owner, name):
        delattr(owner, name)
from seqtrans.config.schema import ModelConfig
from seqtrans.device import choose_compute
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.recurrent.cells import cell_names
import seqtrans.training.job
assert choose_compute("cpu").dtype == torch.float32
for name in cell_names():
    network = LanguageNetwork(ModelConfig(task="lm", cell=name, embedding=4, hidden=4, decoder_layers=2), 9)
    readouts, _ = network.readouts(torch.ones(3, 2, dtype=torch.long), network.start(2))
    readouts.sum().backward()
    assert all(p.grad is not None for n, p in network.named_parameters() if n.startswith("layers"))
"""
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, env=seqtrans_environment(), capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    lacking = "this version of torch lacks"
    assert sorted(line.partition(" (")[0] for line in run.stderr.splitlines()) == [
        f"{lacking} a kernel for whole sequences of an LSTM",
        f"{lacking} numbers of backward passes",
        f"{lacking} tracing of a cell's equations",
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_without_its_layer_normalisation_few_digits_do(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = make_cell("lstm-layernorm", dtype)
    inputs, state = make_data(cell, 4, dtype)
    take_away(monkeypatch, "torch", "native_layer_norm")
    results = outputs_and_gradients(cell, cell.sequence, inputs, state)
    expected = outputs_and_gradients(cell, by_loop(cell), inputs, state)
    for key, tensor in expected.items():
        assert results[key].dtype == tensor.dtype
        assert (results[key] - tensor).norm() <= (0.1 if dtype == torch.bfloat16 else 1e-5) * tensor.norm()


@pytest.mark.parametrize("name", ["_reorder_linear_weight", "_linear_pointwise"])
def test_without_onednn_products_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.default_generator.manual_seed(1)
    inputs, weight = torch.randn(4, 6), nn.Parameter(torch.randn(5, 6))
    monkeypatch.setattr(packed_matrix, "WORTHWHILE", 1)
    packed = packed_matrix.PackedMatrix(weight.detach(), 4).packed is not None
    assert packed == packing_works(torch.float32)
    forget()
    take_away(monkeypatch, "torch.ops.mkldnn", name)
    assert not packing_works(torch.float32)
    made = packed_matrix.PackedMatrix(weight.detach(), 4)
    assert made.packed is None
    added = torch.randn(4, 5)
    with torch.no_grad():
        expected = inputs @ weight.t()
        torch.testing.assert_close(made.times(inputs), expected)
        torch.testing.assert_close(made.times(inputs, added), expected + added)
        torch.testing.assert_close(PackedWeights().linear(inputs, weight, None), expected)


@pytest.mark.parametrize("name", ["linear_prepack", "linear_dynamic"])
def test_without_8_bit_products_there_are_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(monkeypatch, "torch.ops.quantized", name)
    assert not packing_works(torch.int8)
    inputs, weight = torch.randn(4, 6), nn.Parameter(torch.randn(5, 6))
    with torch.no_grad():
        torch.testing.assert_close(PackedWeights(int8=True).linear(inputs, weight, None), inputs @ weight.t())


def test_a_layer_normalisation_with_one_wrong_result_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    right = torch.native_layer_norm

    def wrong(*arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
        units, mean, scale = right(*arguments)
        return units, mean, scale + 1

    monkeypatch.setattr(torch, "native_layer_norm", wrong)
    assert not norm.has_native_norm()


@pytest.mark.skipif(not packing_works(torch.float32), reason="this build of torch packs no products")
@pytest.mark.parametrize("fails", [False, True])
def test_packed_products_with_a_wrong_addition_are_not_used(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those without an addition are right, so that a search goes on packing."""

    def wrong(inputs: Tensor, added: Tensor, *_: object) -> Tensor:
        if fails:
            raise RuntimeError
        return torch.zeros_like(added)

    monkeypatch.setattr(torch.ops.mkldnn._linear_pointwise, "binary", wrong)
    assert packing_works(torch.float32)
    assert not packed_matrix._has_layout(torch.float32)


def test_a_trial_takes_no_random_numbers_from_others() -> None:
    """A training with the same seed would differ, depending on what was tried before it."""
    before = torch.get_rng_state()
    for one in (passes.can_trace, norm.has_native_norm, lstm._has_library_kernel):
        assert one()
    for dtype in (torch.float32, torch.bfloat16, torch.int8):
        packing_works(dtype)
        packed_matrix._has_layout(dtype)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_a_processor_can_do_is_not_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported", "_is_vnni_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert choose_compute("cpu").dtype == torch.float32
    assert not packing._has_vnni()


@pytest.mark.parametrize(
    ("result", "reason"), [(False, "wrong results"), (ValueError("of\ntwo lines"), "ValueError: of two lines")]
)
def test_a_probe_answers_once(result: object, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    trials = []

    @probe("wings", "it walks")
    def can_fly() -> bool:
        trials.append(result)
        if isinstance(result, Exception):
            raise result
        return bool(result)

    assert [can_fly(), can_fly()] == [False, False]
    assert trials == [result]
    assert [record.getMessage() for record in caplog.records] == [
        f"this version of torch lacks wings ({reason}): it walks"
    ]
