"""Fixtures that tests of texts and of trainings share: small corpora and their subwords."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from seqtrans.text.corpus import EncodedCorpus, ParallelText, encode_corpus
from seqtrans.text.subword_training import learn_subwords
from seqtrans.text.subwords import SubwordModel


@pytest.fixture(scope="session")
def letters() -> SubwordModel:
    """The letters a to f, and the space."""
    return learn_subwords(["abc def", "fed cba"], "char", 100)


@pytest.fixture(scope="session")
def corpus(letters: SubwordModel) -> EncodedCorpus:
    """733 pairs of random words."""
    draw = random.Random(71)
    source, target = (["".join(draw.choices("abcdef", k=draw.randint(1, 12))) for _ in range(733)] for _ in range(2))
    return encode_corpus(ParallelText("random", source, target, {}), letters, letters, 100)


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a text file and return its path; folders are made as needed."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    return write
