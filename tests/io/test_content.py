"""What a file is taken for, by its first bytes: never a model for a text, whole or damaged."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch

from seqtrans.errors import DataError, StreamError
from seqtrans.io.container import write_sealed
from seqtrans.io.content import check_model, check_text, is_container, is_text
from seqtrans.text.subword_training import learn_subwords


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A sealed container and a subword model, under names that say nothing."""
    folder = tmp_path_factory.mktemp("models")
    write_sealed(folder / "container.bin", "kind", {"name": "value"}, {"weights": torch.arange(2000) / 7})
    learn_subwords(["one two three"], "bpe", 20).save(folder / "subwords.txt")
    return [folder / "container.bin", folder / "subwords.txt"]


def test_a_model_is_known_by_its_content(models: list[Path]) -> None:
    container, subwords = models
    assert is_container(container)
    assert not is_container(subwords)
    for path in models:
        assert not is_text(path)
        check_model(path, "a model")
        with pytest.raises(DataError, match=f"^{path}: is a model, not a text"):
            check_text(path)


def test_a_model_that_was_cut_short_is_no_text(models: list[Path], tmp_path: Path) -> None:
    for path in models:
        whole, cut = path.read_bytes(), tmp_path / "cut"
        for length in [*range(2, 40), *range(40, len(whole), 97)]:
            cut.write_bytes(whole[:length])
            assert not is_text(cut), (path, length)


def test_a_model_with_a_damaged_beginning_is_no_text(models: list[Path], tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"damaged!" + models[0].read_bytes()[8:])
    assert not is_text(damaged)


@pytest.mark.parametrize(
    "data",
    [
        b"one\n",
        b"o",
        b"{\n",
        b"\n",
        b"not UTF-8: \xff\xfe\n",
        b"1234567\0{\n"[:7],
        b'[1,2]\n{"a": 1}\n',
        gzip.compress(b"", mtime=0),
    ],
)
def test_a_text_is_known_by_its_content(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text.bin"
    path.write_bytes(data)
    assert is_text(path)
    assert not is_container(path)
    check_text(path)
    with pytest.raises(DataError, match=f"^{path}: is a text, not a model; a translator is expected here$"):
        check_model(path, "a translator")


def test_what_is_neither(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path / "empty", tmp_path, tmp_path / "missing", Path("/dev/null")):
        assert not is_text(path)
        assert not is_container(path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("m.safetensor", "; did you mean '{folder}/m.safetensors'?"),
        ("n.safetensors", "; did you mean '{folder}/m.safetensors'?"),
        ("m", "; did you mean '{folder}/m.safetensors'?"),
        ("quite-another", ""),
    ],
)
def test_a_name_that_is_mistyped_is_told_with_the_nearest(name: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").touch()
    with pytest.raises(StreamError) as caught:
        check_model(tmp_path / name, "a model")
    expected = hint.replace("{folder}", str(tmp_path))
    assert str(caught.value) == f"{tmp_path / name}: cannot be read: No such file or directory{expected}"
