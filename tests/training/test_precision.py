"""bfloat16 arithmetic trains and translates like 32-bit arithmetic; without hardware for it, only slower."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqtrans.config.schema import ModelConfig, TrainingConfig
from seqtrans.device import Compute, choose_compute
from seqtrans.errors import UsageError
from seqtrans.model.attention import attention_names
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.search.decoding import search
from seqtrans.search.hypothesis import Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.scorer import ModelScorer
from seqtrans.text.batches import make_batch
from seqtrans.text.corpus import EncodedCorpus
from seqtrans.training.objective import batch_loss
from seqtrans.training.update import Updater
from tests.recurrent.running import CELLS, KINDS

COMPUTES = [Compute(torch.device("cpu"), dtype, "test") for dtype in (torch.float32, torch.bfloat16)]
UPDATES = 10
CASES = [
    *((cell, "general", False) for cell in CELLS),
    *(("lstm", attention, fed) for fed in (False, True) for attention in attention_names()),
]
SAMPLE = [
    *((cell, "general", False) for cell in KINDS),
    ("lstm", "multi-head-additive", True),  # the most products, with input feeding
]
"""What every run proves; `make prove` takes all."""


@pytest.mark.parametrize(
    ("cell", "attention", "input_feeding"),
    [pytest.param(*case, marks=[pytest.mark.prove] * (case not in SAMPLE)) for case in dict.fromkeys(CASES)],
)
def test_losses_and_translations_stay_close(
    corpus: EncodedCorpus, cell: str, attention: str, input_feeding: bool
) -> None:
    batch = make_batch(corpus, np.arange(8))
    vocab = 1 + int(max(corpus.source.flat.max(), corpus.target.flat.max()))
    config = ModelConfig(
        cell=cell, attention=attention, input_feeding=input_feeding, embedding=16, hidden=32, dropout=0.1
    )
    requests = [Request(corpus.source[i].tolist()) for i in batch.pairs]
    losses, scores = [], []
    for compute in COMPUTES:
        torch.default_generator.manual_seed(1)
        network = Seq2Seq(config, vocab, vocab, joint=True)
        updater = Updater(network, TrainingConfig(), compute)
        losses.append([updater.step(batch, number, 0.003, batch_loss).loss for number in range(1, UPDATES + 1)])
        assert all(p.dtype == torch.float32 for p in network.parameters())
        with compute.arithmetic():
            found = search(ModelScorer(network), requests, SearchOptions(beam=2, max_extra=4), 8)
        scores.append([hypotheses[0].score for hypotheses in found])
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[0][-1] < losses[0][0]
    assert np.mean(scores[1]) == pytest.approx(np.mean(scores[0]), rel=0.1)


def test_the_precision_is_what_was_asked_for_or_what_the_hardware_has() -> None:
    assert choose_compute("cpu", "fp32").dtype == torch.float32
    assert choose_compute("cpu", "bf16").dtype == torch.bfloat16
    found = choose_compute("cpu", "auto")
    assert (found.dtype == torch.bfloat16) == any(unit in found.reason for unit in ("AMX", "AVX512-BF16"))
    with pytest.raises(UsageError, match="fp32 or bf16"):
        choose_compute("cpu", "fp8")
