"""How far back the gradient of a trained model's loss reaches.

Shapes: L layers, D distances, T steps, B lines, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from seqtrans.errors import DataError, UsageError
from seqtrans.inference.source_lines import MAX_SUBWORDS
from seqtrans.io.line_report import LineReport
from seqtrans.model.language_model import LanguageNetwork
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.model.trained import Network, TrainedModel
from seqtrans.recurrent.observation import gradient_norms, record_outputs
from seqtrans.text.batches import pad_sources
from seqtrans.text.corpus import split_pair
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID

BATCH_STEPS = 4096
"""The most steps of a batch, padding included: backpropagation keeps every operation of each step in memory."""
MAX_STEPS = MAX_SUBWORDS + 1
"""The most predictions of one line: its subwords and EOS."""
LINES_AT_ONCE = 256
"""How many lines are sorted by length together."""


@dataclass(frozen=True)
class Profile:
    """The gradient norms ||dL_T/dh_t|| as a function of the distance T - t.

    L_T is -log p of the last prediction of a line, in nats; h_t is the output of a layer at step t.
    """

    norms_LD: NDArray[np.float64]
    """The mean over all lines that have this distance; row 0 is the lowest layer."""
    lines_D: NDArray[np.int64]
    """The number of lines that have each distance."""
    blank: int
    """Number of lines that were left out because they, or one side of them, are blank."""

    def distances(self) -> Iterator[int]:
        """The distances 0, 1, 2, 5, 10, 20, 50, ... up to the largest; a selection for a table."""
        yield 0
        scale = 1
        while scale < len(self.lines_D):
            yield from (scale * step for step in (1, 2, 5) if scale * step < len(self.lines_D))
            scale *= 10


@dataclass(frozen=True)
class _Line:
    """A line as ids. `inputs` and `outputs` are equally long: at each step an input is read and an output predicted."""

    source: list[int]
    """Empty for a language model."""
    inputs: list[int]
    outputs: list[int]


class GradientMeter:
    """Measures the gradients of a model's last prediction on lines of text.

    A language model reads lines of text, each from its start state. A translator reads `source TAB target`; then the
    layers are those of the decoder. There is no dropout. Numbers have 64 bits: with fewer, the gradient p - 1 of a
    confident prediction would consist mostly of rounding error.

    Raises:
        UsageError: the model is a tagger, whose predictions do not depend on each other.
    """

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self.network = model.network.eval().double()
        self.predictor = _predictor(model.network)
        layers = model.config.model.decoder_layers
        self._sums_LD = np.zeros((layers, MAX_STEPS))
        self._lines_D = np.zeros(MAX_STEPS, dtype=np.int64)
        self._blank = 0

    def add(self, lines: Sequence[str], report: LineReport, first: int) -> None:
        """Measure more lines. The first of them is line number `first` of the text that `report` describes.

        Lines (for translators, sides of lines) are cut at `MAX_SUBWORDS` subwords; `report` counts the lines that were
        cut.

        Raises:
            DataError: a line for a translator does not have exactly one TAB.
        """
        report.length_limit = f"{MAX_SUBWORDS} subwords"
        encoded_lines = []
        for number, text in enumerate(lines, first):
            source, target = self._encode(text, f"{report.name}:{number}")
            if source is None or not target:
                self._blank += 1
                continue
            if max(len(source), len(target)) > MAX_SUBWORDS:
                report.shortened.add(number)
            first_input = BOS_ID if isinstance(self.network, Seq2Seq) else EOS_ID  # a text starts with EOS
            inputs, outputs = [first_input, *target][:MAX_STEPS], [*target, EOS_ID][:MAX_STEPS]
            encoded_lines.append(_Line(source[:MAX_SUBWORDS], inputs, outputs))
        encoded_lines.sort(key=lambda line: len(line.inputs))
        while encoded_lines:
            batch_size = max(1, BATCH_STEPS // len(encoded_lines[-1].inputs))
            self._measure(encoded_lines[-batch_size:])
            del encoded_lines[-batch_size:]

    def profile(self, name: str) -> Profile:
        """The profile of all lines so far. `name` is the name of the text, for error messages.

        Raises:
            DataError: there was no line to measure.
        """
        n_distances = int((self._lines_D > 0).sum())
        if not n_distances:
            blank = f" but {self._blank} blank ones" if self._blank else ""
            raise DataError(f"{name}: there are no lines to measure{blank}")
        lines_D = self._lines_D[:n_distances]
        return Profile(self._sums_LD[:, :n_distances] / lines_D, lines_D, self._blank)

    def _encode(self, text: str, where: str) -> tuple[list[int] | None, list[int]]:
        """The ids of source and target. The source is None if it is blank, and empty for a language model."""
        if not isinstance(self.network, Seq2Seq):
            return [], self.model.target_subwords.encode(text)
        if not text.strip():
            return None, []
        left, right = split_pair(text, where)
        return self.model.source_subwords.encode(left) or None, self.model.target_subwords.encode(right)

    def _measure(self, lines: Sequence[_Line]) -> None:
        with record_outputs(self.predictor) as observations:
            losses_B = _last_losses(self.network, lines)
        for layer, norms_TB in enumerate(gradient_norms(losses_B, observations)):
            for line, norms_T in zip(lines, norms_TB.unbind(1), strict=True):
                steps = len(line.inputs)
                self._sums_LD[layer, :steps] += norms_T[:steps].flip(0).numpy()
        for line in lines:
            self._lines_D[: len(line.inputs)] += 1


def _predictor(network: Network) -> nn.Module:
    """The part of the network whose recurrent layers connect one prediction with the next."""
    if isinstance(network, LanguageNetwork):
        return network
    if isinstance(network, Seq2Seq):
        return network.decoder
    raise UsageError(
        "--gradients is for language models and translators: a tagger's predictions do not depend on each other"
    )


def _last_losses(network: Network, lines: Sequence[_Line]) -> Tensor:
    """L_T of each line [B]."""
    inputs_TB = _padded([line.inputs for line in lines])
    if isinstance(network, Seq2Seq):
        with torch.no_grad():  # no gradient with respect to the encoder is needed
            memory = network.encode(*pad_sources([line.source for line in lines]))
        readouts_TBE = network.readouts(inputs_TB, memory)
    else:
        assert isinstance(network, LanguageNetwork)  # `_predictor` refuses other networks
        readouts_TBE, _ = network.readouts(inputs_TB, network.start(len(lines)))
    last_B = torch.tensor([len(line.inputs) - 1 for line in lines])
    logits_BV = network.logits(readouts_TBE[last_B, torch.arange(len(lines))])
    return F.cross_entropy(logits_BV, torch.tensor([line.outputs[-1] for line in lines]), reduction="none")


def _padded(lines: Sequence[list[int]]) -> Tensor:
    """Ids [T, B], padded at the end."""
    return nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in lines], padding_value=PAD_ID)
