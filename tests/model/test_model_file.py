"""The one file of a trained translator: whole or refused, and computing what it computed before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from seqtrans.config.schema import Config, ModelConfig, TrainingConfig
from seqtrans.errors import DataError, StreamError
from seqtrans.io.container import read_sealed, write_sealed
from seqtrans.model.attention import attention_names
from seqtrans.model.description import describe
from seqtrans.model.file import KIND, load_model, save_model
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.model.shortlist import Shortlist
from seqtrans.model.trained import TrainedModel, build_network
from seqtrans.model.weights import first_meta_tensor, stored_tensors, weights_of
from seqtrans.recurrent.cells import cell_names
from seqtrans.text.subword_training import learn_subwords
from seqtrans.text.subwords import SubwordModel
from tests.covering import covering

Document = dict[str, Any]
Tensors = dict[str, Tensor]


@pytest.fixture(scope="module")
def languages() -> tuple[SubwordModel, SubwordModel]:
    """Two vocabularies of different sizes."""
    return learn_subwords(["abc bca cab"], "char", 100), learn_subwords(["uvwxyz zyx"], "char", 100)


def make_model(config: ModelConfig, source: SubwordModel, target: SubwordModel) -> TrainedModel:
    torch.default_generator.manual_seed(61)
    training = TrainingConfig(metric="loss", bptt=35) if config.task == "lm" else TrainingConfig()
    whole = Config(model=config, training=training)
    network = build_network(whole, source, target).eval()
    return TrainedModel(whole, network, source, target, {"steps": 7, "data": {"train": "Übung"}})


def logits_of(model: TrainedModel) -> Tensor:
    network = model.network
    assert isinstance(network, Seq2Seq)
    source, lengths = torch.tensor([[4, 5], [6, 3], [3, 0]]), torch.tensor([3, 2])
    with torch.no_grad():
        memory = network.encode(source, lengths)
        logits: Tensor = network.logits(network.readouts(torch.tensor([[2, 2], [4, 5], [6, 6]]), memory))
        return logits


SMALL = ModelConfig(embedding=6, hidden=8)


CASES = covering(
    {
        "cell": cell_names(),
        "attention": attention_names(),
        "bridge": ["last", "mean"],
        "input_feeding": [False, True],
        "encoder_layers": [1, 2],
        "encoder_transitions": [1, 2],
        "mixed_directions": [False, True],
        "decoder_layers": [1, 2],
        "decoder_transitions": [1, 2],
        "tied_embeddings": [False, True],
        "joint": [False, True],
    }
)


def name_of(case: dict[str, Any]) -> str:
    return "-".join(f"{value}" if isinstance(value, str) else f"{key}={value}" for key, value in case.items())


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_is_loaded_computes_the_same(
    languages: tuple[SubwordModel, SubwordModel], tmp_path: Path, case: dict[str, Any]
) -> None:
    source, target = languages
    config = replace(SMALL, **{key: value for key, value in case.items() if key != "joint"})
    model = make_model(config, source, source if case["joint"] else target)
    path = tmp_path / "m.safetensors"
    save_model(path, model)
    loaded = load_model(path)
    assert torch.equal(logits_of(loaded), logits_of(model))
    assert loaded.config == model.config
    assert loaded.history == model.history
    assert (loaded.source_subwords.digest, loaded.target_subwords.digest) == (
        model.source_subwords.digest,
        model.target_subwords.digest,
    )
    assert weights_of(loaded.network).keys() == weights_of(model.network).keys()
    network, tied = loaded.seq2seq, case["tied_embeddings"]
    assert (network.output_weight is network.target_embedding) is tied
    assert (network.source_embedding is network.target_embedding) is (tied and case["joint"])
    assert first_meta_tensor(network) is None
    assert not network.training
    save_model(tmp_path / "again", loaded)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


LANGUAGE_MODELS = covering(
    {
        "cell": cell_names(),
        "tied_embeddings": [False, True],
        "cache": [0, 5],
        "decoder_layers": [1, 2],
        "decoder_transitions": [1, 2],
    }
)
TAGGERS = covering(
    {
        "cell": cell_names(),
        "encoder_layers": [1, 2],
        "encoder_transitions": [1, 2],
        "mixed_directions": [False, True],
        "tied_embeddings": [False],
    }
)


@pytest.mark.parametrize(
    "case", [*({"task": "lm", **case} for case in LANGUAGE_MODELS), *({"task": "tag", **case} for case in TAGGERS)],
    ids=name_of,
)  # fmt: skip
def test_language_models_and_taggers_come_back(
    languages: tuple[SubwordModel, SubwordModel], tmp_path: Path, case: dict[str, Any]
) -> None:
    model = make_model(replace(SMALL, **case), *languages)
    save_model(tmp_path / "m", model)
    loaded = load_model(tmp_path / "m")
    before, after = stored_tensors(model.network), stored_tensors(loaded.network)
    assert before.keys() == after.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert first_meta_tensor(loaded.network) is None


def test_a_loaded_model_can_be_trained_on(languages: tuple[SubwordModel, SubwordModel], tmp_path: Path) -> None:
    model = make_model(SMALL, *languages)
    save_model(tmp_path / "m", model)
    network = load_model(tmp_path / "m").network.train()
    assert isinstance(network, Seq2Seq)
    memory = network.encode(torch.tensor([[4], [3]]), torch.tensor([2]))
    network.logits(network.readouts(torch.tensor([[2], [4]]), memory)).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


def test_other_weights_can_stand_in(languages: tuple[SubwordModel, SubwordModel], tmp_path: Path) -> None:
    model = make_model(SMALL, *languages)
    save_model(tmp_path / "m", model, {name: torch.full_like(p, 0.5) for name, p in weights_of(model.network).items()})
    assert all((p == 0.5).all() for p in load_model(tmp_path / "m").network.parameters())


def test_description_counts_every_weight_once(languages: tuple[SubwordModel, SubwordModel]) -> None:
    source, target = languages
    told = describe(make_model(SMALL, source, target))
    rows = {"source_embedding": source.size * 6, "target_embedding": target.size * 6, "output_bias": target.size}
    assert told["parameters"] == sum(told["parameters_by_part"].values())
    assert {key: told["parameters_by_part"][key] for key in rows} == rows
    joint = describe(make_model(SMALL, source, source))
    assert "source_embedding" not in joint["parameters_by_part"]
    assert joint["joint_vocabulary"]
    assert not told["joint_vocabulary"]


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_model(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def rewritten(path: Path, change: Callable[[Document, Tensors], object]) -> Path:
    """The file with something changed and sealed anew: its digest is right, its content is not."""
    document, tensors = read_sealed(path, KIND)
    change(document, tensors)
    write_sealed(path, KIND, document, tensors)
    return path


def replacement(name: str, tensor: Tensor) -> Callable[[Document, Tensors], None]:
    """The change that puts a tensor in the place of another."""
    return lambda _, tensors: tensors.update({name: tensor})


@pytest.fixture
def saved(languages: tuple[SubwordModel, SubwordModel], tmp_path: Path) -> Path:
    path = tmp_path / "m.safetensors"
    save_model(path, make_model(SMALL, *languages))
    load_model(path)
    return path


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["output_bias", "target_embedding", "decoder.layers.1.recurrent_weight"])
def test_weights_that_are_not_finite_are_refused(saved: Path, name: str, bad: float) -> None:
    rewritten(saved, lambda _, tensors: tensors[name].flatten()[-1:].fill_(bad))
    assert f"'{name}'" in refused(saved)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int32], ids=str)
def test_weights_of_another_type_are_refused(saved: Path, dtype: torch.dtype) -> None:
    rewritten(saved, lambda _, tensors: tensors.update(output_bias=tensors["output_bias"].to(dtype)))
    assert "'output_bias'" in refused(saved)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden", 10),
        ("embedding", 8),
        ("encoder_layers", 2),
        ("decoder_layers", 1),
        ("decoder_layers", 3),
        ("decoder_transitions", 2),
        ("encoder_transitions", 3),
        ("cell", "gru"),
        ("attention", "additive"),
        ("attention", "none"),
        ("input_feeding", True),
        ("tied_embeddings", False),
    ],
)
def test_a_configuration_that_does_not_fit_the_weights_is_refused(saved: Path, key: str, value: object) -> None:
    rewritten(saved, lambda document, _: document["config"]["model"].update({key: value}))
    assert "does not fit the configuration" in refused(saved)


@pytest.mark.parametrize(
    "config",
    [
        None,
        [],
        "lstm",
        3,
        {"model": None},
        {"model": {"hiden": 8}},
        {"modle": {}},
        {"model": {"hidden": 7}},
        {"model": {"hidden": "8"}},
        {"model": {"encoder_layers": 0}},
        {"model": {"dropout": float("nan")}},
        {"model": {"cell": "no-such-cell"}},
        {"model": {"cell": "base"}},
        {"model": {"cell": "../../evil"}},
        {"model": {"attention": "no-such-attention"}},
        {"training": {"learning_rate": 10**400}},
    ],
    ids=lambda config: str(config)[:40],
)
def test_a_configuration_that_cannot_be_is_refused(saved: Path, config: object) -> None:
    refused(rewritten(saved, lambda document, _: document.update(config=config)))


@pytest.mark.parametrize("setting", [[1.0, 5.0], [-0.1, 5.0], [3.0, 5.0], [0.2, -1.0]])
def test_a_cache_that_cannot_be_is_refused(
    languages: tuple[SubwordModel, SubwordModel], tmp_path: Path, setting: list[float]
) -> None:
    path = tmp_path / "lm.safetensors"
    save_model(path, make_model(replace(SMALL, task="lm", cache=5), *languages))
    load_model(path)
    rewritten(path, lambda _, tensors: tensors.update({"cache.setting": torch.tensor(setting)}))
    assert "its cache has a share or sharpness out of range" in refused(path)


@pytest.fixture
def with_shortlist(languages: tuple[SubwordModel, SubwordModel], tmp_path: Path) -> Path:
    model = make_model(SMALL, *languages)
    translations = np.full((model.source_subwords.size, 2), 5, dtype=np.int32)
    path = tmp_path / "shortlist.safetensors"
    save_model(path, replace(model, shortlist=Shortlist.of(translations, np.array([6], dtype=np.int32))))
    return path


def test_a_shortlist_comes_back(with_shortlist: Path, saved: Path) -> None:
    found = load_model(with_shortlist).shortlist
    assert found is not None
    assert found.always_A.tolist() == [0, 1, 2, 3, 6]
    assert [ids.tolist() for ids in found.specific([[4, 5], [4]], [[6, 9], []])] == [[5, 9], [5]]
    assert load_model(saved).shortlist is None


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.pop("shortlist.always"),
        lambda t: t.pop("shortlist.translations"),
        lambda t: t.update({"shortlist.translations": t["shortlist.translations"][1:].contiguous()}),
        lambda t: t.update({"shortlist.translations": t["shortlist.translations"].long()}),
        lambda t: t.update({"shortlist.always": t["shortlist.always"][1:].contiguous()}),
        lambda t: t.update({"shortlist.always": t["shortlist.always"].unsqueeze(0)}),
        lambda t: t.update({"shortlist.always": torch.tensor([0, 1, 2, 3, 6, 6], dtype=torch.int32)}),
        lambda t: t["shortlist.translations"].view(-1)[-1:].fill_(10**6),
        lambda t: t["shortlist.translations"].view(-1)[-1:].fill_(-1),
    ],
)
def test_a_shortlist_that_cannot_be_is_refused(with_shortlist: Path, change: Callable[[Tensors], object]) -> None:
    assert "shortlist" in refused(rewritten(with_shortlist, lambda _, tensors: change(tensors)))


def test_settings_that_never_did_anything_do_not_spoil_a_file(
    languages: tuple[SubwordModel, SubwordModel], tmp_path: Path
) -> None:
    path = tmp_path / "lm.safetensors"
    save_model(path, make_model(replace(SMALL, task="lm"), *languages))
    rewritten(path, lambda document, _: document["config"]["text"].update(max_length=50))
    load_model(path)
    rewritten(path, lambda document, _: document["config"]["model"].update(bridge="mean"))
    load_model(path)


@pytest.mark.parametrize("key", ["config", "history", "format"])
def test_every_part_of_the_document_is_needed(saved: Path, key: str) -> None:
    refused(rewritten(saved, lambda document, _: document.pop(key)))


@pytest.mark.parametrize("number", [0, 2, 10**6, "1", None])
def test_another_format_is_refused(saved: Path, number: object) -> None:
    assert "this program reads format 1" in refused(rewritten(saved, lambda d, _: d.update(format=number)))


def test_a_vocabulary_of_another_size_is_refused(saved: Path) -> None:
    other = learn_subwords(["abcdefghijkl"], "char", 100)
    proto = torch.frombuffer(bytearray(other.proto), dtype=torch.uint8)
    for side, tensor in (("source", "source_embedding"), ("target", "")):
        copy = saved.with_name(f"{side}.safetensors")
        copy.write_bytes(saved.read_bytes())
        rewritten(copy, replacement(f"subwords.{side}", proto))
        assert f"'{tensor}" in refused(copy)


@pytest.mark.parametrize(
    "name", ["subwords.source", "subwords.target", "output_bias", "encoder.layers.0.forwards.bias"]
)
def test_a_missing_tensor_is_refused(saved: Path, name: str) -> None:
    refused(rewritten(saved, lambda _, tensors: tensors.pop(name)))


def test_a_tensor_too_many_is_refused(saved: Path) -> None:
    assert "'more'" in refused(rewritten(saved, lambda _, tensors: tensors.update(more=torch.zeros(2))))


def test_a_turned_tensor_is_refused(saved: Path) -> None:
    name = "target_embedding"
    assert f"'{name}'" in refused(rewritten(saved, lambda _, t: t.update({name: t[name].t().contiguous()})))


def test_subwords_that_are_none_are_refused(saved: Path) -> None:
    for garbage in (torch.zeros(50, dtype=torch.uint8), torch.zeros(0, dtype=torch.uint8), torch.zeros(10)):
        rewritten(saved, replacement("subwords.source", garbage))
        refused(saved)


def test_what_is_no_model_is_refused(saved: Path, tmp_path: Path) -> None:
    refused(tmp_path)
    with pytest.raises(StreamError):
        load_model(tmp_path / "missing")
    document, tensors = read_sealed(saved, KIND)
    write_sealed(saved, "seqtrans checkpoint", document, tensors)
    assert "is a seqtrans checkpoint, not a seqtrans model" in refused(saved)
    saved.write_bytes(bytes(10_000))
    refused(saved)
