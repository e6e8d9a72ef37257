"""The cache of a language model against its equations, written out step by step."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqtrans.config.schema import ModelConfig
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.text.stream import Segment
from seqtrans.training.cache_fit import SHARES, SHARPNESSES, CacheFit

VOCAB, STEPS = 7, 11


def make_model(size: int) -> LanguageNetwork:
    torch.default_generator.manual_seed(41)
    config = ModelConfig(task="lm", cell="gru", embedding=5, hidden=6, decoder_layers=1, cache=size)
    model = LanguageNetwork(config, VOCAB).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.7)
    return model


def some_text(streams: int) -> Tensor:
    return torch.randint(3, VOCAB, (STEPS + 1, streams), generator=torch.Generator().manual_seed(42))


def by_hand(model: LanguageNetwork, text_TB: Tensor, share: float, sharpness: float) -> Tensor:
    """log p of each subword but the first, [T, B], one stream and one step after the other."""
    assert model.cache is not None
    readouts, _ = model.readouts(text_TB[:-1], model.start(text_TB.shape[1]))
    own = model.logits(readouts).softmax(dim=2)
    found = torch.empty_like(own[:, :, 0])
    for b in range(text_TB.shape[1]):
        for t in range(len(text_TB) - 1):
            wanted = text_TB[t + 1, b]
            p = own[t, b, wanted]
            past = range(max(0, t - model.cache.size), t)
            if past:
                cosines = [torch.cosine_similarity(readouts[t, b], readouts[i, b], dim=0) for i in past]
                weights = torch.stack([torch.exp(sharpness * c) for c in cosines])
                same = torch.stack([(text_TB[i + 1, b] == wanted).double() for i in past])
                p = (1 - share) * p + share * (weights * same).sum() / weights.sum()
            found[t, b] = p.log()
    return found


@pytest.mark.parametrize("size", [1, 4, 100])
@pytest.mark.parametrize("pieces", [[STEPS], [1] * STEPS, [5, 1, 5]])
def test_it_is_what_the_equations_say_however_the_text_is_cut(size: int, pieces: list[int]) -> None:
    model, text = make_model(size), some_text(2)
    assert model.cache is not None
    model.cache.fit(share=0.3, sharpness=4.0)
    state, parts = model.start(2), []
    for segment in text[:-1].split(pieces):
        part, state = model.predict(segment, state)
        parts.append(part)
    log_probs = torch.cat(parts)
    torch.testing.assert_close(log_probs.logsumexp(dim=2), torch.zeros(STEPS, 2).double(), rtol=0, atol=1e-6)
    found = log_probs.gather(2, text[1:].unsqueeze(2)).squeeze(2)
    expected = by_hand(model, text, *model.cache.chosen())
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    assert state.past is not None
    assert state.past.inputs_BW.shape == (2, min(size, STEPS))


def test_a_cache_without_a_share_changes_nothing() -> None:
    model, text = make_model(5), some_text(1)
    log_probs, _ = model.predict(text, model.start(1))
    readouts, _ = model.readouts(text, model.start(1))
    assert torch.equal(log_probs, model.logits(readouts).log_softmax(dim=2))


@torch.no_grad()
def test_the_best_of_all_ways_is_chosen_and_its_loss_told() -> None:
    model = make_model(6)
    assert model.cache is not None
    text = torch.cat([some_text(2), some_text(2)])  # it comes again: there is something to copy
    fit, state = CacheFit(model.cache), model.start(2)
    for begin, end in ((0, 9), (9, len(text) - 1)):
        segment = Segment(text[begin:end], text[begin + 1 : end + 1], begin == 0, 2 * (end - begin))
        readouts, state = model.readouts(segment.inputs_TB, state)
        fit.read(segment, readouts, model.logits)
    losses = {(h, s): -float(by_hand(model, text, s, h).sum()) for h in SHARPNESSES for s in SHARES}
    assert fit.choose() == pytest.approx(min(losses.values()), rel=1e-9)
    share, sharpness = model.cache.chosen()
    chosen = (sharpness, min(SHARES, key=lambda s: abs(s - share)))
    assert losses[chosen] == min(losses.values())
    assert losses[chosen] < min(losses[h, 0.0] for h in SHARPNESSES)


@torch.no_grad()
def test_in_bfloat16_the_past_is_compared_in_32_bits() -> None:
    model, text = make_model(5).float(), some_text(2)
    assert model.cache is not None
    model.cache.fit(share=0.3, sharpness=4.0)
    expected, _ = model.predict(text, model.start(2))
    fit = CacheFit(model.cache)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, state = model.predict(text, model.start(2))
        readouts, _ = model.readouts(text[:-1], model.start(2))
        similarity, past = model.cache.compare(readouts, text[:-1], None)
        fit.read(Segment(text[:-1], text[1:], True, 2 * STEPS), readouts, model.logits)
    assert readouts.dtype == torch.bfloat16
    assert found.dtype == past.keys_BWE.dtype == similarity.cosine_BTK.dtype == torch.float32
    keys = torch.nn.functional.normalize(readouts.float().transpose(0, 1), dim=2)
    exact = keys @ keys.transpose(1, 2)
    reached = similarity.cosine_BTK.isfinite()
    torch.testing.assert_close(similarity.cosine_BTK[reached], exact[reached], rtol=0, atol=1e-6)
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.05)
    assert fit.choose() > 0
    assert state.past is not None
