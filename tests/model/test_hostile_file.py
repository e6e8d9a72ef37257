"""A model file is not trusted: whatever stands in it, it is refused in one short line, or it works."""

from __future__ import annotations

import json
import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from seqtrans.config.schema import Config, ModelConfig, TrainingConfig
from seqtrans.errors import DataError, SeqtransError, UsageError, excerpt
from seqtrans.io.container import MAX_DEPTH, read_sealed, write_sealed
from seqtrans.model.description import describe
from seqtrans.model.file import KIND, load_model, save_model
from seqtrans.model.trained import fresh_model
from seqtrans.text.subword_training import learn_subwords
from tests.proving import with_seeds

Document = dict[str, Any]
Tensors = dict[str, Tensor]
Saved = tuple[Document, Tensors]

SIZES = {
    "translate": ModelConfig(embedding=4, hidden=6, decoder_layers=1),
    "lm": ModelConfig(task="lm", embedding=4, hidden=6, decoder_layers=1, cache=5),
    "tag": ModelConfig(task="tag", embedding=4, hidden=6, tied_embeddings=False),
}
HISTORY = {"steps": 7, "length_ratio": 1.5, "data": {"train": "0f", "cell": "1e"}, "dev": {"loss": 2.5}, "cache": {}}
MESSAGE = 300
"""Characters of a message, its path aside."""


@pytest.fixture(scope="module", params=SIZES)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """The document and the tensors of a file that loads."""
    source, target = learn_subwords(["abc bca cab"], "char", 100), learn_subwords(["uvwxyz zyx"], "char", 100)
    training = TrainingConfig(metric="loss", bptt=35) if request.param == "lm" else TrainingConfig()
    config = Config(model=SIZES[request.param], training=training)
    path = tmp_path_factory.mktemp("saved") / "m.safetensors"
    save_model(path, replace(fresh_model(config, source, target), history=HISTORY))
    load_model(path)
    return read_sealed(path, KIND)


def outcome(path: Path, document: Document, tensors: Tensors) -> str | None:
    """Seal a file and load it: the message of a refusal, or None where the model can be used."""
    write_sealed(path, KIND, document, tensors)
    try:
        model = load_model(path)
        assert 0 < model.length_ratio <= 1000
        assert model.history.get("data", {}).get("cell", "") is not None
        json.dumps(describe(model))
    except DataError as error:
        message = str(error).replace(str(path), "PATH")
    except UsageError as error:
        message = str(error)
        assert "comes from a file that is not part of seqtrans" in message
    else:
        return None
    assert message.isprintable()
    assert len(message) < MESSAGE
    return message


def is_writable(tensor: Tensor) -> bool:
    """Whether this version of safetensors can write such numbers."""
    try:
        save({"a": tensor})
    except KeyError:
        return False
    return True


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


ODD = [
    None, True, False, -1, 0, 1, 2, 3, 2**63, 10**400, 0.5, float("nan"), float("inf"), "", "lstm", "1", "\x1b[31m\n",
    "\ud800", "y" * 10**6, "a:b", ":" * 10**5, "x.py", "rnn+relu", "lstm+" * 50, "../../evil", [], [1], nested(500), {},
    {"a": {}}, {"\x1b": 1}, {"y" * 10**5: {"z": []}},
]  # fmt: skip


def places(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys that lead to every value of a document."""
    for key, inner in value.items():
        yield (*path, key)
        if isinstance(inner, dict):
            yield from places(inner, (*path, key))


def changed(document: Document, place: tuple[str, ...], value: Any) -> Document:
    document = deepcopy(document)
    *above, last = place
    inner = document
    for key in above:
        inner = inner[key]
    inner[last] = value
    return document


def test_any_value_anywhere_is_refused_or_harmless(saved: Saved, tmp_path: Path) -> None:
    document, tensors = saved
    draw = random.Random(1)
    cases = [(place, value) for place in places(document) for value in ODD]
    refusals = []
    for place, value in [
        *draw.sample(cases, 70),
        *((("history",), odd) for odd in ODD),
        *((("format",), o) for o in ODD),
    ]:
        refusals.append(outcome(tmp_path / "m", changed(document, place, value), tensors) is not None)
    assert 30 < sum(refusals) < len(refusals)  # some settings, and all of the history, may have other values


def test_any_key_that_is_new_or_missing_is_refused_or_harmless(saved: Saved, tmp_path: Path) -> None:
    document, tensors = saved
    for place in places(document):
        odd = outcome(tmp_path / "m", changed(document, (*place[:-1], "\x1b[2J" * 1000), {"a": 1}), tensors)
        assert (odd is not None) == (place[0] == "config" and len(place) > 1)
        missing = deepcopy(document)
        inner = missing
        for key in place[:-1]:
            inner = inner[key]
        del inner[place[-1]]
        outcome(tmp_path / "m", missing, tensors)
    for key in ("config", "history", "format"):
        assert outcome(tmp_path / "m", {name: document[name] for name in document if name != key}, tensors) is not None


@with_seeds(1, 3)
def test_any_tensor_of_another_kind_is_refused(saved: Saved, tmp_path: Path, seeds: range) -> None:
    """Every third kind for each tensor and seed, and for each tensor others."""
    document, tensors = saved
    for number, (name, tensor) in enumerate(tensors.items()):
        kinds = [
            torch.zeros(()), torch.zeros(0), torch.zeros(3, 0), tensor.unsqueeze(0), tensor[1:].contiguous(),
            tensor.to(torch.complex64), tensor.to(torch.bfloat16), tensor.bool(), tensor.long(),
            tensor.float().to(torch.float8_e4m3fn), torch.full_like(tensor.float(), float("nan")),
        ]  # fmt: skip
        for other in filter(is_writable, (kind for seed in seeds for kind in kinds[(number + seed) % 3 :: 3])):
            if name.startswith("subwords.") and other.dtype == torch.uint8 and other.numel() == tensor.numel():
                continue  # bytes are read whatever their shape
            assert outcome(tmp_path / "m", document, {**tensors, name: other}) is not None, (name, other.dtype)
        assert outcome(tmp_path / "m", document, {**tensors, name + "\x1b[31m" * 1000: tensor}) is not None


def test_a_document_is_only_so_deep(saved: Saved, tmp_path: Path) -> None:
    document, tensors = saved
    for levels, refused in ((MAX_DEPTH - 2, False), (MAX_DEPTH - 1, True), (500, True)):
        change = changed(document, ("history", "deep"), nested(levels))
        assert (outcome(tmp_path / "m", change, tensors) is not None) is refused


@contextmanager
def memory_limit(more: int) -> Iterator[None]:
    """No more than so many bytes beyond those that this process has now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_a_small_file_that_claims_a_large_network_is_refused(saved: Saved, tmp_path: Path) -> None:
    """What grows with a size is there; what grows with its square, 16 GiB a matrix, is not."""
    document, tensors = saved
    task, hidden = document["config"]["model"]["task"], 65_536
    sizes = {**document["config"]["model"], "embedding": 1, "hidden": hidden, "tied_embeddings": task != "tag"}
    claimed = changed(document, ("config", "model"), sizes)
    vocabulary = len(tensors["output_bias"])
    linear = {
        "translate": {"target_embedding": (vocabulary, 1), "decoder.readout.weight": (1, 2 * hidden)},
        "lm": {"embedding": (vocabulary, 1), "readout.weight": (1, hidden)},
        "tag": {"source_embedding": (len(tensors["source_embedding"]) if task == "tag" else 0, 1),
                "output_weight": (vocabulary, hidden)},
    }[task]  # fmt: skip
    with memory_limit(4 << 30):
        message = outcome(
            tmp_path / "m", claimed, {**tensors, **{name: torch.zeros(shape) for name, shape in linear.items()}}
        )
    assert message is not None
    assert "does not fit the configuration" in message


def test_more_cells_than_tensors_are_refused_before_they_are_made(saved: Saved, tmp_path: Path) -> None:
    document, tensors = saved
    side = "encoder" if document["config"]["model"]["task"] == "tag" else "decoder"
    sizes = {**document["config"]["model"], f"{side}_layers": 64, f"{side}_transitions": 64}
    message = outcome(tmp_path / "m", changed(document, ("config", "model"), sizes), tensors)
    assert message is not None
    assert "fewer tensors than its configuration has cells" in message


def sealed_by_hand(path: Path, shape: list[int], dtype: str = "F32", text: str = "{}") -> Path:
    """A safetensors file with an empty tensor of this shape; its digest is wrong."""
    header = {"__metadata__": {"seqtrans": f"0 {text}"}, "x": {"dtype": dtype, "shape": shape, "data_offsets": [0, 0]}}
    data = json.dumps(header).encode()
    path.write_bytes(len(data).to_bytes(8, "little") + data)
    return path


def test_a_header_that_lies_is_refused(tmp_path: Path) -> None:
    text = json.dumps({"kind": KIND, "document": {}})
    for shape in ([0], [0, 2**62], [0, 2**62, 2**62], [2**63, 0], [0, -1], [], [2**62, 2**62, 0]):
        for dtype in ("F32", "BOOL", "F4", "F8_E8M0", "C64", "Q9", "U64"):
            with pytest.raises(DataError) as caught:
                read_sealed(sealed_by_hand(tmp_path / "m", shape, dtype, text), KIND)
            assert str(caught.value).isprintable()
    for kind in ("\x1b[31m" * 10**5, nested(100), {"a": 1}, None, 10**4000):
        with pytest.raises(DataError) as caught:
            read_sealed(sealed_by_hand(tmp_path / "m", [0], "F32", json.dumps({"kind": kind, "document": {}})), KIND)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < len(str(tmp_path)) + 200


def test_an_excerpt_is_short_printable_and_on_one_line() -> None:
    assert excerpt("a\n b\x1b[31m") == "a b?[31m"
    assert excerpt("x" * 100, 10) == "xxxxxxx..."
    assert excerpt("x" * 10, 10) == "x" * 10
    assert [excerpt(value) for value in (None, 3, [1], {"a": 1}, "\ud800")] == ["None", "3", "a list", "an object", "?"]
    assert issubclass(DataError, SeqtransError)
