"""The sealed file: what was written comes back, and nothing else passes for it."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save
from torch import Tensor

from seqtrans.errors import DataError, SeqtransError, StreamError
from seqtrans.io.container import read_sealed, write_sealed

KIND = "test file"
DOCUMENT: dict[str, Any] = {
    "rate": 1e-05,
    "precise": 0.30000000000000004,
    "name": "Übung \n ▁",
    "list": [1, None, True, {"deep": "x"}],
}


def tensors() -> dict[str, Tensor]:
    torch.default_generator.manual_seed(51)
    return {
        "b.weight": torch.randn(5, 4),
        "a.bytes": torch.arange(97, dtype=torch.uint8),
        "c.scalar": torch.tensor(3.5),
        "d.double": torch.randn(6, dtype=torch.float64),
        "e.count": torch.tensor([1, -2, 3]),
        "f.empty": torch.zeros(0, 3),
    }


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "file.safetensors"
    write_sealed(path, KIND, DOCUMENT, tensors())
    return path


def refusal(path: Path, kind: str = KIND) -> SeqtransError:
    """The one line that this file is refused with, whatever is wrong with it."""
    with pytest.raises((DataError, StreamError)) as caught:
        read_sealed(path, kind)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return caught.value


def is_accepted(path: Path, data: bytes) -> bool:
    path.write_bytes(data)
    return accepts(path)


def accepts(path: Path) -> bool:
    """Whether the file is read; if not, it is refused in one line that names it, and never otherwise."""
    message = ""
    try:
        read_sealed(path, KIND)
    except DataError as error:
        message = str(error)
    assert message.startswith(f"{path}: ") or not message
    assert "\n" not in message
    return not message


def test_round_trip(sealed: Path) -> None:
    document, found = read_sealed(sealed, KIND)
    assert document == DOCUMENT
    expected = tensors()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].shape == tensor.shape
        assert torch.equal(found[name], tensor)


def test_the_same_content_is_the_same_bytes(sealed: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    for order in (1, -1):
        for _ in range(3):
            write_sealed(again, KIND, dict(list(DOCUMENT.items())[::order]), dict(list(tensors().items())[::order]))
            assert again.read_bytes() == sealed.read_bytes()


def test_tensors_may_be_views_and_need_gradients(tmp_path: Path) -> None:
    weight = torch.randn(4, 3, requires_grad=True)
    write_sealed(tmp_path / "f", KIND, {}, {"turned": weight.t(), "part": torch.arange(10.0)[2:5]})
    _, found = read_sealed(tmp_path / "f", KIND)
    assert torch.equal(found["turned"], weight.detach().t())
    assert found["part"].tolist() == [2, 3, 4]


def test_tensors_may_share_memory(tmp_path: Path) -> None:
    """A moving average with decay 0 is the weights themselves, and both go into a checkpoint."""
    weight = torch.randn(4, 3)
    write_sealed(tmp_path / "f", KIND, {}, {"average.w": weight, "weights.w": weight})
    _, found = read_sealed(tmp_path / "f", KIND)
    assert torch.equal(found["average.w"], weight)
    assert torch.equal(found["weights.w"], weight)


def test_every_flipped_bit_is_found(sealed: Path) -> None:
    whole = sealed.read_bytes()
    assert len(whole) < 2500
    assert is_accepted(sealed, whole)
    missed = []
    with sealed.open("r+b", buffering=0) as stream:  # in place: a new file for each bit would take ten times as long
        for place, byte in enumerate(whole):
            for bit in range(8):
                os.pwrite(stream.fileno(), bytes([byte ^ 1 << bit]), place)
                if accepts(sealed):
                    missed.append((place, bit, whole[place - 8 : place + 8]))
            os.pwrite(stream.fileno(), bytes([byte]), place)
    assert accepts(sealed)
    assert not missed


def test_every_truncation_is_found(sealed: Path) -> None:
    passed = []
    for end in range(sealed.stat().st_size - 1, -1, -1):
        os.truncate(sealed, end)
        if accepts(sealed):
            passed.append(end)
    assert not passed


@pytest.mark.parametrize("extra", [b"\0", b"\n", b"x" * 100, b"\0" * 4096])
def test_something_after_the_end_is_found(sealed: Path, extra: bytes) -> None:
    assert not is_accepted(sealed, sealed.read_bytes() + extra)


def test_metadata_outside_the_seal_is_refused(sealed: Path) -> None:
    data = sealed.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    for more in ({}, {"note": "x"}, {"format": "pt"}):
        text = json.dumps({**header, "__metadata__": header["__metadata__"] | more}).encode()
        assert is_accepted(sealed, len(text).to_bytes(8, "little") + text + data[8 + size :]) is (not more)


def test_zeros_in_place_of_any_block_are_found(sealed: Path) -> None:
    whole = sealed.read_bytes()
    for size in (8, 64, 512):
        for start in range(0, len(whole), size):
            zeroed = whole[:start] + bytes(min(size, len(whole) - start)) + whole[start + size :]
            assert zeroed == whole or not is_accepted(sealed, zeroed)
    assert not is_accepted(sealed, bytes(len(whole)))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    assert not is_accepted(tmp_path / "random", data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["__metadata__", "seqtrans", "kind", "document", "sha256", "dtype", "shape", "data_offsets", "t"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(header=JSON, inner=JSON, body=st.binary(max_size=40), wrapped=st.booleans())
def test_any_header_is_refused(tmp_path: Path, header: Any, inner: Any, body: bytes, wrapped: bool) -> None:
    if wrapped:
        header = {"__metadata__": {"seqtrans": json.dumps(inner)}}
    text = json.dumps(header).encode()
    assert not is_accepted(tmp_path / "crafted", len(text).to_bytes(8, "little") + text + body)


@pytest.mark.parametrize(
    "header",
    [b"[" * 100_000, b'{"a":' * 50_000, b'{"__metadata__":{"seqtrans":"' + b"[" * 100_000 + b'"}}', b"9" * 100_000],
    ids=["lists", "objects", "inner lists", "digits"],
)
def test_a_hostile_header_is_refused(tmp_path: Path, header: bytes) -> None:
    assert not is_accepted(tmp_path / "hostile", len(header).to_bytes(8, "little") + header)


@pytest.mark.parametrize("size", [1 << 24, 1 << 32, 1 << 62, (1 << 64) - 1])
def test_a_header_that_claims_to_be_huge_is_refused(tmp_path: Path, size: int) -> None:
    assert not is_accepted(tmp_path / "huge", size.to_bytes(8, "little") + b"{}")


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.complex64, torch.float8_e4m3fn, torch.bfloat16, torch.int64], ids=str
)
def test_any_type_of_tensor_without_the_right_digest_is_refused(tmp_path: Path, dtype: torch.dtype) -> None:
    body = json.dumps({"kind": KIND, "document": {}, "sha256": "0" * 64})
    try:
        file = save({"t": torch.zeros(4).to(dtype)}, {"seqtrans": body})
    except KeyError:
        pytest.skip("this version of safetensors cannot write it")
    assert not is_accepted(tmp_path / "typed", file)


def test_another_kind_of_file_is_refused(sealed: Path) -> None:
    assert "is a test file, not a seqtrans model" in str(refusal(sealed, "seqtrans model"))
    write_sealed(sealed, "two\nlines", {}, {})
    assert isinstance(refusal(sealed), DataError)
    sealed.write_bytes(save(tensors(), {"format": "pt"}))
    assert isinstance(refusal(sealed), DataError)
    sealed.write_bytes(save(tensors()))
    assert isinstance(refusal(sealed), DataError)
    sealed.write_bytes(b"PK\x03\x04" + bytes(100))
    assert isinstance(refusal(sealed), DataError)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert isinstance(refusal(tmp_path), DataError)
    assert isinstance(refusal(tmp_path / "missing"), StreamError)
    assert isinstance(refusal(tmp_path / "missing" / "deeper"), StreamError)
    (tmp_path / "empty").touch()
    assert isinstance(refusal(tmp_path / "empty"), DataError)
    os.mkfifo(tmp_path / "pipe")
    assert isinstance(refusal(tmp_path / "pipe"), DataError)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert isinstance(refusal(tmp_path / "loop"), StreamError)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as stream:
        stream.truncate(64 << 30)
    child = os.fork()
    if not child:
        code = 1  # this process must not go on as a second run of the tests
        try:
            signal.alarm(60)
            used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), used + (1 << 30)))
            read_sealed(path, "test file")
        except DataError:
            code = 65
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 65


def test_a_file_that_cannot_be_written_leaves_the_old_one(sealed: Path) -> None:
    before = sealed.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # the kernel refuses to let a file grow beyond
    try:
        with pytest.raises(StreamError, match=r"file\.safetensors: cannot be written"):
            write_sealed(sealed, KIND, {}, {"large": torch.zeros(5000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sealed.read_bytes() == before
    assert [entry.name for entry in sealed.parent.iterdir()] == [sealed.name]
