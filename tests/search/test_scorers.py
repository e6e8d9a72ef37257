"""Several models, and a language model, are to a search what one model is."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from seqtrans.config.schema import ModelConfig
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.search.combination import combined_scorer
from seqtrans.search.decoding import search
from seqtrans.search.ensemble import EnsembleScorer
from seqtrans.search.fusion import FusionScorer
from seqtrans.search.hypothesis import Hypothesis, Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.scorer import ModelScorer, StepScorer
from seqtrans.text.batches import pad_sources
from seqtrans.text.subwords import BOS_ID, EOS_ID
from tests.proving import with_seeds

VOCAB = 12
Make = Callable[..., Seq2Seq]
Sources = Callable[[int, int], list[list[int]]]


def language_model(seed: int, cell: str = "gru") -> LanguageNetwork:
    torch.default_generator.manual_seed(seed)
    config = ModelConfig(task="lm", cell=cell, embedding=5, hidden=6, decoder_layers=2, cache=8)
    network = LanguageNetwork(config, VOCAB).double().eval()
    for parameter in network.parameters():
        parameter.normal_(0, 0.8)
    assert network.cache is not None
    network.cache.fit(0.3, 5.0)  # which a search does without
    return network


def found(scorer: StepScorer, sources: list[list[int]], batch_size: int = 3) -> list[list[Hypothesis]]:
    options = SearchOptions(beam=4, n_best=3, max_ratio=1, max_extra=3, alignment="subwords")
    return search(scorer, [Request(source) for source in sources], options, batch_size)


def forced(scorer: StepScorer, source: list[int], tokens: list[int]) -> list[float]:
    """The log-probability of each token and of EOS, step by step."""
    state, last, log_probs = scorer.start(*pad_sources([source])), BOS_ID, []
    for token in [*tokens, EOS_ID]:
        row, state, _ = scorer.step(torch.tensor([last]), state)
        log_probs.append(float(row[0, token]))
        last = token
    return log_probs


def alike(one: list[list[Hypothesis]], other: list[list[Hypothesis]]) -> None:
    for first, second in zip(one, other, strict=True):
        assert [h.tokens for h in first] == [h.tokens for h in second]
        for a, b in zip(first, second, strict=True):
            assert a.token_log_probs == pytest.approx(b.token_log_probs, abs=1e-12)
            torch.testing.assert_close(a.attention, b.attention)


@with_seeds(2, 12)
@pytest.mark.parametrize("logarithms", [False, True])
def test_an_ensemble_of_a_model_with_itself_is_the_model(
    random_network: Make, random_sources: Sources, logarithms: bool, seeds: range
) -> None:
    for seed in seeds:
        scorer, sources = ModelScorer(random_network(seed, VOCAB)), random_sources(seed, 7)
        alike(found(EnsembleScorer([scorer] * 3, logarithms), sources), found(scorer, sources))


@with_seeds(2, 12)
@pytest.mark.parametrize("logarithms", [False, True])
def test_an_ensemble_takes_the_mean(
    random_network: Make, random_sources: Sources, logarithms: bool, seeds: range
) -> None:
    for seed in seeds:
        scorers = [ModelScorer(random_network(seed + number, VOCAB)) for number in (0, 100, 200)]
        sources = random_sources(seed, 4)
        for source, n_best in zip(sources, found(EnsembleScorer(scorers, logarithms), sources), strict=True):
            for h in n_best:
                each = zip(*(forced(scorer, source, h.tokens) for scorer in scorers), strict=True)
                mean = [
                    sum(logs) / 3 if logarithms else math.log(sum(math.exp(log) for log in logs) / 3) for logs in each
                ]
                assert h.token_log_probs == pytest.approx(mean, abs=1e-10)


def test_models_are_combined_as_the_options_say(random_network: Make, random_sources: Sources) -> None:
    one, two = (ModelScorer(random_network(seed, VOCAB)) for seed in (1, 2))
    assert combined_scorer([one], None, SearchOptions()) is one
    sources = random_sources(1, 5)
    for name, logarithms in (("probabilities", False), ("log-probabilities", True)):
        combined = combined_scorer([one, two], None, SearchOptions(ensemble=name))
        alike(found(combined, sources), found(EnsembleScorer([one, two], logarithms), sources))


@with_seeds(2, 12)
def test_fusion_with_weight_0_is_no_fusion(random_network: Make, random_sources: Sources, seeds: range) -> None:
    for seed in seeds:
        scorer, sources = ModelScorer(random_network(seed, VOCAB)), random_sources(seed, 7)
        alike(found(FusionScorer(scorer, language_model(seed), 0.0), sources), found(scorer, sources))


@with_seeds(2, 12)
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_fusion_adds_what_the_language_model_says(
    random_network: Make, random_sources: Sources, cell: str, seeds: range
) -> None:
    for seed in seeds:
        scorer, language = ModelScorer(random_network(seed, VOCAB)), language_model(seed, cell)
        sources = random_sources(seed, 7)
        for source, n_best in zip(sources, found(FusionScorer(scorer, language, 0.4), sources), strict=True):
            for h in n_best:
                read, wanted = torch.tensor([EOS_ID, *h.tokens]), torch.tensor([*h.tokens, EOS_ID])
                readouts, _ = language.readouts(read.unsqueeze(1), language.start(1))
                logs = language.logits(readouts[:, 0]).log_softmax(dim=1).gather(1, wanted.unsqueeze(1)).flatten()
                expected = [a + 0.4 * b for a, b in zip(forced(scorer, source, h.tokens), logs.tolist(), strict=True)]
                assert h.token_log_probs == pytest.approx(expected, abs=1e-10)


def test_neither_batch_nor_order_matters_to_both_together(random_network: Make, random_sources: Sources) -> None:
    scorer = FusionScorer(
        EnsembleScorer([ModelScorer(random_network(seed, VOCAB)) for seed in (1, 2)]), language_model(3), 0.3
    )
    sources = random_sources(3, 12)
    alone = found(scorer, sources, 1)
    alike(found(scorer, sources, 7), alone)
    alike(found(scorer, sources[::-1], 12)[::-1], alone)
