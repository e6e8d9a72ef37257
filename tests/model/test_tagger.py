"""A tagger reads each sentence of a batch as if it were alone."""

from __future__ import annotations

import pytest
import torch

from seqtrans.config.schema import ModelConfig
from seqtrans.model.tagger import TaggerNetwork
from tests.recurrent.running import CELLS, KINDS


@pytest.mark.parametrize(
    "cell", [pytest.param(cell, marks=[pytest.mark.prove] * (cell not in KINDS)) for cell in CELLS]
)  # the encoder is tested with every cell in every run
def test_padding_changes_neither_scores_nor_gradients(cell: str) -> None:
    torch.default_generator.manual_seed(51)
    config = ModelConfig(task="tag", cell=cell, embedding=5, hidden=6, encoder_layers=2, tied_embeddings=False)
    model = TaggerNetwork(config, 9, 7).double().eval()
    source, lengths = torch.tensor([[4, 5, 6], [5, 3, 8], [6, 0, 7], [3, 0, 3]]), torch.tensor([4, 2, 4])
    parameters = dict(model.named_parameters())
    together, apart = [], []
    logits = model.logits(model.readouts(source, lengths))
    for b, length in enumerate(lengths.tolist()):
        together.append(logits[:length, b])
        apart.append(model.logits(model.readouts(source[:length, b : b + 1], lengths[b : b + 1]))[:, 0])
    torch.testing.assert_close(together, apart, rtol=1e-12, atol=1e-12)
    losses = [torch.cat(pieces).log_softmax(1)[:, 3].sum() for pieces in (together, apart)]
    gradients = [torch.autograd.grad(loss, list(parameters.values())) for loss in losses]
    for name, one, other in zip(parameters, *gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12, msg=name)
        assert one.abs().max() > 0, name
