"""Searches that choose from a list for each sentence: as if the model knew no other subwords."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from seqtrans.config.schema import ModelConfig
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.model.shortlist import CandidateIds, NarrowOutput, Shortlist
from seqtrans.search.candidates import Candidates
from seqtrans.search.decoding import CPU, search
from seqtrans.search.ensemble import EnsembleScorer
from seqtrans.search.fusion import FusionScorer
from seqtrans.search.hypothesis import Hypothesis, Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.scorer import ModelScorer, StepScorer
from seqtrans.text.subwords import FIRST_PIECE_ID
from tests.proving import with_seeds
from tests.search.truth import Make, Sources

VOCAB = 40
OPTIONS = {
    "beam": SearchOptions(4, 3, max_ratio=1, max_extra=3),
    "greedy": SearchOptions(1, 1, max_ratio=1, max_extra=3),
    "no repetition": SearchOptions(3, 2, max_ratio=1, max_extra=3, no_repeat=1, min_ratio=0.5),
}


def shortlist(seed: int) -> Shortlist:
    """Three of the target subwords for each of 8 source subwords, and three for all."""
    draw = np.random.default_rng(seed)
    translations = draw.integers(FIRST_PIECE_ID, VOCAB, (8, 3), dtype=np.int32)
    return Shortlist.of(translations, draw.integers(0, VOCAB, 3, dtype=np.int32))


def knowing_only(network: Seq2Seq, ids: list[int]) -> Seq2Seq:
    """The network without its other subwords, PAD among them."""
    copy = deepcopy(network)
    keep = torch.tensor(ids)
    bias = torch.full_like(copy.output_bias, -torch.inf)
    bias[keep[keep > 0]] = network.output_bias[keep[keep > 0]]
    copy.output_bias.data = bias
    return copy


def alike(found: list[Hypothesis], truth: list[Hypothesis]) -> None:
    assert [h.tokens for h in found] == [h.tokens for h in truth]
    assert [h.score for h in found] == pytest.approx([h.score for h in truth])


@with_seeds(3, 20)
@pytest.mark.parametrize("name", OPTIONS)
def test_it_is_as_if_there_were_no_other_subwords(
    random_network: Make, random_sources: Sources, name: str, seeds: range
) -> None:
    for seed in seeds:
        network, lists, options = random_network(seed, VOCAB), shortlist(seed), OPTIONS[name]
        forbidden = [int(lists.always_A[-1])] if seed % 2 else []
        requests = [Request(source, [VOCAB - 1, VOCAB - 2][: seed % 3]) for source in random_sources(seed, 7)]
        found = search(ModelScorer(network), requests, options, 4, CPU, forbidden, lists)
        for request, hypotheses in zip(requests, found, strict=True):
            (own,) = lists.specific([request.source], [request.prefix])
            alone = knowing_only(network, [*lists.always_A.tolist(), *own.tolist()])
            (truth,) = search(ModelScorer(alone), [request], options, 1, CPU, forbidden)
            alike(hypotheses, truth)
            said = {token for h in hypotheses for token in h.tokens}
            assert said <= {*lists.always_A.tolist(), *own.tolist()}


def test_samples_are_of_the_list_and_as_probable_as_they_say(random_network: Make, random_sources: Sources) -> None:
    network, lists = random_network(8, VOCAB), shortlist(8)
    requests = [Request(source) for source in random_sources(8, 2)]
    options = SearchOptions(sample=20, max_ratio=1, max_extra=3)
    found = search(ModelScorer(network), requests, options, 16, CPU, (), lists)
    for one, other in zip(found, search(ModelScorer(network), requests, options, 3, CPU, (), lists), strict=True):
        alike(one, other)
    for request, hypotheses in zip(requests, found, strict=True):
        (own,) = lists.specific([request.source], [()])
        alone = ModelScorer(knowing_only(network, [*lists.always_A.tolist(), *own.tolist()]))
        assert len({tuple(h.tokens) for h in hypotheses}) > 1
        for h in hypotheses:
            forced = replace(OPTIONS["greedy"], max_ratio=0, max_extra=0)
            ((again,),) = search(alone, [Request(request.source, h.tokens)], forced, 1)
            assert again.tokens == h.tokens
            assert again.log_prob == pytest.approx(h.log_prob)


def test_a_list_of_all_changes_nothing(random_network: Make, random_sources: Sources) -> None:
    every = Shortlist.of(np.tile(np.arange(VOCAB, dtype=np.int32), (8, 1)), np.arange(9, dtype=np.int32))
    torch.default_generator.manual_seed(5)
    language = LanguageNetwork(ModelConfig(task="lm", embedding=5, hidden=6, decoder_layers=1), VOCAB).double().eval()
    # PAD is no candidate, but has a share in the softmax of the whole
    network, second = (knowing_only(random_network(seed, VOCAB), [*range(1, VOCAB)]) for seed in (3, 4))
    scorers: list[StepScorer] = [
        ModelScorer(network),
        EnsembleScorer([ModelScorer(network), ModelScorer(second)]),
        EnsembleScorer([ModelScorer(network), ModelScorer(second)], logarithms=True),
        FusionScorer(ModelScorer(network), language, 0.5),
    ]
    requests = [Request(source) for source in random_sources(3, 5)]
    for scorer in scorers:
        options = OPTIONS["beam"]
        truth = search(scorer, requests, options, 4)
        for batch in (1, 3, 5):
            for one, other in zip(search(scorer, requests, options, batch, CPU, (), every), truth, strict=True):
                alike(one, other)


def test_the_order_of_sentences_does_not_matter(random_network: Make, random_sources: Sources) -> None:
    network, lists = random_network(11, VOCAB), shortlist(11)
    requests = [Request(source) for source in random_sources(11, 12)]
    options = replace(OPTIONS["beam"], alignment="subwords")
    truth = search(ModelScorer(network), requests, options, 5, CPU, (), lists)
    found = search(ModelScorer(network), requests[::-1], options, 3, CPU, (), lists)[::-1]
    for one, other in zip(found, truth, strict=True):
        alike(one, other)


def test_lists_are_no_wider_than_the_longest_that_is_left() -> None:
    long, short = Shortlist.of(np.arange(4, 14, dtype=np.int32)[None], np.array([20], dtype=np.int32)), shortlist(1)
    wide = Candidates.of([Request([0])], long)
    narrow = Candidates(CandidateIds(torch.tensor([[0, 1, 2, 3, 20, 6]]), 5))
    both = wide.join(narrow)
    assert both.lists.shape == (2, 15)
    assert both.select(np.array([1])).join(narrow).lists.tolist() == [[0, 1, 2, 3, 20, 6]] * 2
    weight, bias = torch.randn(21, 4), torch.randn(21)
    outputs = [NarrowOutput.of(part.ids, weight, bias) for part in (both, narrow)]
    left = outputs[0].select(torch.tensor([1])).join(outputs[1])
    assert left.logits(torch.ones(2, 4)).shape == (2, 6)
    torch.testing.assert_close(left.logits(torch.ones(2, 4))[0], outputs[1].logits(torch.ones(1, 4))[0])
    assert short.always_A[:4].tolist() == [0, 1, 2, 3]


def test_narrow_logits_are_some_of_the_wide_ones(random_network: Make) -> None:
    network = random_network(2, VOCAB)
    ids = torch.tensor([[0, 1, 2, 3, 9, 8, 12], [0, 1, 2, 3, 9, 30, 0]])
    output = NarrowOutput.of(CandidateIds(ids, 5), network.output_weight, network.output_bias)
    wider = NarrowOutput.of(
        CandidateIds(torch.tensor([[0, 1, 2, 3, 9, 5, 6, 7]]), 5), network.output_weight, network.output_bias
    )
    readouts = torch.randn(6, 5, dtype=torch.float64)
    both = output.join(wider).select(torch.tensor([2, 0]))
    wide = network.logits(readouts[:4]).view(2, 2, -1)
    narrow = both.logits(readouts[:4]).view(2, 2, -1)
    assert torch.allclose(narrow[0, :, 1:], wide[0][:, [1, 2, 3, 9, 5, 6, 7]])
    assert torch.allclose(narrow[1, :, 1:7], wide[1][:, [1, 2, 3, 9, 8, 12]])
    assert (narrow[:, :, 0] == -torch.inf).all()
    assert (narrow[1, :, 7] == -torch.inf).all()
