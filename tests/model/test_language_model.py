"""A language model by segments, by steps, and in one piece is the same model."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seqtrans.config.schema import ModelConfig
from seqtrans.model.language_model import LanguageNetwork
from tests.covering import covering
from tests.recurrent.running import CELLS

VOCAB = 9
IDS = torch.tensor([[3, 3], [5, 4], [8, 4], [3, 7], [6, 6], [4, 3]])


def make_model(cell: str = "gru", tied: bool = False, layers: int = 2) -> LanguageNetwork:
    torch.default_generator.manual_seed(31)
    config = ModelConfig(
        task="lm", cell=cell, embedding=6, hidden=8, decoder_layers=layers, tied_embeddings=tied, dropout=0.2
    )
    model = LanguageNetwork(config, VOCAB).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.5)
    return model


CASES = covering({"cell": CELLS, "tied": [False, True], "layers": [1, 3]})


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.values())))
def test_segments_and_steps_predict_what_the_whole_does(case: dict[str, Any]) -> None:
    model = make_model(**case)
    whole, last = model.predict(IDS, model.start(2))
    readouts, _ = model.readouts(IDS, model.start(2))
    torch.testing.assert_close(whole, model.logits(readouts).log_softmax(2), rtol=1e-12, atol=1e-12)
    for pieces in ([1, 3, 2], [1] * 6):
        state, parts = model.start(2), []
        for segment in IDS.split(pieces):
            part, state = model.predict(segment, state)
            parts.append(part)
        torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(state.layers, last.layers, rtol=1e-12, atol=1e-12)


def test_no_gradient_goes_back_through_the_state_of_a_segment() -> None:
    model = make_model()
    readouts, state = model.readouts(IDS[:3], model.start(2))
    assert not any(tensor.requires_grad for layer in state.layers for tensor in layer)
    assert readouts.requires_grad


def test_every_weight_has_a_part_in_the_loss() -> None:
    for tied in (False, True):
        model = make_model(tied=tied)
        readouts, _ = model.readouts(IDS, model.start(2))
        torch.log_softmax(model.logits(readouts), 2)[..., 4].sum().backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name
