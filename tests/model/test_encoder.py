"""A padded batch of sources is encoded, and learned from, as each sentence alone would be."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqtrans.config.schema import ModelConfig
from seqtrans.model.attention import attention_names
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.recurrent.cells import cell_names
from seqtrans.text.batches import pad_sources

VOCAB = 9
SENTENCES = [[4, 5, 6, 7, 8], [8], [4, 4], [7, 1, 5, 5]]
TARGETS = torch.tensor([[2, 2, 2, 2], [4, 5, 6, 7], [8, 8, 4, 5]])


def make_network(cell: str, layers: int, attention: str = "general", bridge: str = "last") -> Seq2Seq:
    torch.default_generator.manual_seed(31)
    config = ModelConfig(cell=cell, attention=attention, bridge=bridge, embedding=6, hidden=8, encoder_layers=layers)
    network = Seq2Seq(config, VOCAB, VOCAB, joint=True).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.5)
    return network


@pytest.mark.parametrize("cell", cell_names())
@pytest.mark.parametrize("layers", [1, 2])
def test_a_batch_is_encoded_as_each_sentence_alone(cell: str, layers: int) -> None:
    network = make_network(cell, layers)
    with torch.no_grad():
        memory = network.encode(*pad_sources(SENTENCES))
        for b, sentence in enumerate(SENTENCES):
            alone = network.encode(*pad_sources([sentence]))
            length = len(sentence) + 1
            for found, expected in (
                (memory.values_BSD[b, :length], alone.values_BSD[0]),
                (memory.keys_BSA[b, :length], alone.keys_BSA[0]),
                (memory.summary_BD[b], alone.summary_BD[0]),
            ):
                torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
            assert not memory.padding_BS[b, :length].any()
            assert (memory.padding_BS[b, length:] == -torch.inf).all()


@pytest.mark.parametrize(
    ("cell", "attention", "bridge"),
    [  # the encoder's part in it and the attention's have nothing to do with each other
        *((cell, "general", "last") for cell in cell_names()),
        *(("gru", attention, "last") for attention in attention_names()),
        ("gru", "start", "mean"),
    ],
)
def test_logits_and_gradients_do_not_depend_on_padding(cell: str, attention: str, bridge: str) -> None:
    network = make_network(cell, 2, attention, bridge)
    parameters = list(network.parameters())
    source, lengths = pad_sources(SENTENCES)
    longer = torch.cat([source, torch.zeros(3, len(SENTENCES), dtype=torch.int64)])  # padding for everyone

    def loss_of(source: Tensor, lengths: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        logits = network.logits(network.readouts(targets, network.encode(source, lengths)))
        return logits, torch.log_softmax(logits, 2)[..., 5].sum()

    logits, loss = loss_of(longer, lengths, TARGETS)
    found = torch.autograd.grad(loss, parameters)
    expected = [torch.zeros_like(p) for p in parameters]
    for b, sentence in enumerate(SENTENCES):
        alone, loss = loss_of(*pad_sources([sentence]), TARGETS[:, b : b + 1])
        torch.testing.assert_close(logits[:, b], alone[:, 0], rtol=1e-11, atol=1e-11)
        for total, gradient in zip(expected, torch.autograd.grad(loss, parameters), strict=True):
            total += gradient
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("cell", cell_names())
def test_the_summary_is_the_last_output_of_each_direction(cell: str) -> None:
    network = make_network(cell, 1)
    with torch.no_grad():
        memory = network.encode(*pad_sources(SENTENCES))
    half = memory.values_BSD.shape[2] // 2
    for b, sentence in enumerate(SENTENCES):
        assert torch.equal(memory.summary_BD[b, :half], memory.values_BSD[b, len(sentence), :half])
        assert torch.equal(memory.summary_BD[b, half:], memory.values_BSD[b, 0, half:])


def test_the_mean_is_that_of_each_sentence() -> None:
    network = make_network("gru", 1)
    with torch.no_grad():
        memory = network.encode(*pad_sources(SENTENCES))
    for b, sentence in enumerate(SENTENCES):
        expected = memory.values_BSD[b, : len(sentence) + 1].mean(0)
        torch.testing.assert_close(memory.mean()[b], expected, rtol=1e-12, atol=1e-12)
