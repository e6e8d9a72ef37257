"""Small corpora, and a network to train."""

from __future__ import annotations

import pytest
import torch

from seqtrans.config.schema import ModelConfig
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.text.subwords import SubwordModel
from tests.corpora import corpus, letters

__all__ = ["corpus", "letters", "network"]


@pytest.fixture
def network(letters: SubwordModel) -> Seq2Seq:
    """A small network with dropout, tied and joint, as the default is."""
    torch.default_generator.manual_seed(72)
    config = ModelConfig(embedding=6, hidden=8, dropout=0.2)
    return Seq2Seq(config, letters.size, letters.size, joint=True)
