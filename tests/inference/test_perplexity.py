"""Perplexity of a text, by a language model with random weights."""

from __future__ import annotations

import pytest
import torch

from seqtrans.config.schema import Config, ModelConfig, TrainingConfig
from seqtrans.device import choose_compute
from seqtrans.inference.perplexity import TextScorer
from seqtrans.model.trained import fresh_model
from seqtrans.text.subword_training import learn_subwords
from seqtrans.text.subwords import SubwordType


@pytest.mark.parametrize("subword_type", ["bpe", "char", "word"])
def test_every_character_counts_also_one_that_the_model_does_not_know(subword_type: SubwordType) -> None:
    torch.default_generator.manual_seed(71)
    subwords = learn_subwords(["abc def", "fed cba"] * 5, subword_type, 12)
    model = ModelConfig(task="lm", embedding=5, hidden=6, decoder_layers=1)
    config = Config(model=model, training=TrainingConfig(metric="loss", bptt=5))
    scorer = TextScorer(fresh_model(config, subwords, subwords), choose_compute("cpu", "fp32", 1), alone=True)
    lines = ["где это", "ab  где", "", "abc def"]
    likelihoods = list(scorer.score(lines))
    assert [one.characters for one in likelihoods] == [len("где это\n"), len("ab где\n"), 1, len("abc def\n")]
    assert likelihoods[0].nats_per_character == likelihoods[0].nats / len("где это\n")
    assert likelihoods[0].unknown > 0
