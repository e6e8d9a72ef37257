"""Small random networks to search."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
import torch

from seqtrans.config.schema import ModelConfig
from seqtrans.model.attention import attention_names
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.recurrent.cells import cell_names

MakeNetwork = Callable[..., Seq2Seq]


@pytest.fixture(scope="session")
def random_network() -> MakeNetwork:
    """A network whose architecture and weights a seed decides; large weights make it choosy."""

    def make(seed: int, vocab: int, dtype: torch.dtype = torch.float64, sharpness: float = 1.0) -> Seq2Seq:
        draw = random.Random(seed)
        config = ModelConfig(
            cell=draw.choice(cell_names()),
            attention=draw.choice(attention_names()),
            input_feeding=draw.random() < 0.3,
            embedding=5,
            hidden=6,
            decoder_layers=draw.choice([1, 2]),
            tied_embeddings=draw.random() < 0.5,
        )
        torch.default_generator.manual_seed(seed)
        network = Seq2Seq(config, 8, vocab, joint=False).to(dtype).eval()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.normal_(0, 0.8)
            network.output_weight.mul_(sharpness)
        return network

    return make


@pytest.fixture(scope="session")
def random_sources() -> Callable[[int, int], list[list[int]]]:
    """So many sources of 1 to 6 subwords out of 4..7, decided by a seed."""

    def make(seed: int, count: int) -> list[list[int]]:
        draw = random.Random(seed)
        return [[draw.randrange(4, 8) for _ in range(draw.randint(1, 6))] for _ in range(count)]

    return make


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield
