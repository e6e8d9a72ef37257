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
from seqtrans.model.file import Network, TrainedModel
from seqtrans.model.language_model import LanguageModel
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.recurrent.watching import gradient_norms, watched
from seqtrans.text.batches import pad_sources
from seqtrans.text.corpus import split_pair
from seqtrans.text.lines import LineReport
from seqtrans.text.subwords import BOS_ID, EOS_ID, PAD_ID
from seqtrans.translation import MAX_SOURCE

BATCH_STEPS = 4096
"""Steps of all lines that are differentiated together: a graph of every operation is kept for each."""
STEPS = MAX_SOURCE + 1
"""Predictions of one line: so many subwords and the end."""
CHUNK = 256
"""Lines that are sorted by length together."""


@dataclass(frozen=True)
class Profile:
    """||dL_T/dh_t|| against T - t.

    L_T is -log p, in nats, of a line's last prediction, h_t the output of a layer at step t.
    """

    norms_LD: NDArray[np.float64]
    """The mean over the lines that are so long; row 0 is the lowest layer."""
    lines_D: NDArray[np.int64]
    """How many these are."""
    blank: int
    """Lines that had nothing to measure: blank, or with a blank side."""

    def shown(self) -> Iterator[int]:
        """The distances 0, 1, 2, 5, 10, 20, 50, ... as far as there are lines."""
        yield 0
        scale = 1
        while scale < len(self.lines_D):
            yield from (scale * step for step in (1, 2, 5) if scale * step < len(self.lines_D))
            scale *= 10


@dataclass(frozen=True)
class _Line:
    """What is read of a line, and what is predicted at each step: as many, the last of which is L_T."""

    source: list[int]
    inputs: list[int]
    outputs: list[int]


class GradientMeter:
    """Takes in lines, each by itself, from the start state, without dropout, in 64 bits.

    In fewer, the gradient of a sure prediction, p - 1, would be little but rounding. A language model reads lines of
    text; a translator `source TAB target`, and the layers are its decoder's.

    Raises:
        UsageError: the model has no predictions that follow one from another.
    """

    def __init__(self, model: TrainedModel) -> None:
        self.model = model
        self.network = model.network.eval().double()
        self.watched = _predicting_layers(model.network)
        layers = model.config.model.decoder_layers
        self._sums_LD = np.zeros((layers, STEPS))
        self._lines_D = np.zeros(STEPS, dtype=np.int64)
        self._blank = 0

    def take(self, lines: Sequence[str], report: LineReport, first: int) -> None:
        """Measure some lines, the first of which is number `first` of what `report` is about.

        Of a line, or of a side of it, `MAX_SOURCE` subwords count; `report` has those that are longer.

        Raises:
            DataError: a translator's line has not just one TAB.
        """
        report.unread_beyond = f"{MAX_SOURCE} subwords"
        read = []
        for number, text in enumerate(lines, first):
            source, target = self._encoded(text, f"{report.name}:{number}")
            if source is None or not target:
                self._blank += 1
                continue
            if max(len(source), len(target)) > MAX_SOURCE:
                report.unread.add(number)
            before = BOS_ID if isinstance(self.network, Seq2Seq) else EOS_ID  # before a text stands another's end
            inputs, outputs = [before, *target][:STEPS], [*target, EOS_ID][:STEPS]
            read.append(_Line(source[:MAX_SOURCE], inputs, outputs))
        read.sort(key=lambda line: len(line.inputs))
        while read:
            rows = max(1, BATCH_STEPS // len(read[-1].inputs))
            self._measure(read[-rows:])
            del read[-rows:]

    def profile(self, name: str) -> Profile:
        """What was found in all lines; `name` is that of the text.

        Raises:
            DataError: there was no line to measure.
        """
        reach = int((self._lines_D > 0).sum())
        if not reach:
            blank = f" but {self._blank} blank ones" if self._blank else ""
            raise DataError(f"{name}: there are no lines to measure{blank}")
        return Profile(self._sums_LD[:, :reach] / self._lines_D[:reach], self._lines_D[:reach], self._blank)

    def _encoded(self, text: str, where: str) -> tuple[list[int] | None, list[int]]:
        """Source and target; None where there should be a source and is none."""
        if not isinstance(self.network, Seq2Seq):
            return [], self.model.target_subwords.encode(text)
        if not text.strip():
            return None, []
        left, right = split_pair(text, where)
        return self.model.source_subwords.encode(left) or None, self.model.target_subwords.encode(right)

    def _measure(self, lines: Sequence[_Line]) -> None:
        with watched(self.watched) as noted:
            losses_B = _last_losses(self.network, lines)
        for layer, norms_TB in enumerate(gradient_norms(losses_B, noted)):
            for line, norms_T in zip(lines, norms_TB.unbind(1), strict=True):
                steps = len(line.inputs)
                self._sums_LD[layer, :steps] += norms_T[:steps].flip(0).numpy()
        for line in lines:
            self._lines_D[: len(line.inputs)] += 1


def _predicting_layers(network: Network) -> nn.Module:
    """The part whose recurrent layers lead from prediction to prediction."""
    if isinstance(network, LanguageModel):
        return network
    if isinstance(network, Seq2Seq):
        return network.decoder
    raise UsageError("--gradients is for language models and translators, whose last prediction follows all others")


def _last_losses(network: Network, lines: Sequence[_Line]) -> Tensor:
    """L_T of each line [B]."""
    inputs_TB = _padded([line.inputs for line in lines])
    if isinstance(network, Seq2Seq):
        with torch.no_grad():  # nothing that is asked for goes through the encoder
            memory = network.encode(*pad_sources([line.source for line in lines]))
        readouts_TBE = network.readouts(inputs_TB, memory)
    else:
        assert isinstance(network, LanguageModel)  # `_predicting_layers` lets nothing else come here
        readouts_TBE, _ = network.readouts(inputs_TB, network.start(len(lines)))
    last_B = torch.tensor([len(line.inputs) - 1 for line in lines])
    logits_BV = network.logits(readouts_TBE[last_B, torch.arange(len(lines))])
    return F.cross_entropy(logits_BV, torch.tensor([line.outputs[-1] for line in lines]), reduction="none")


def _padded(lines: Sequence[list[int]]) -> Tensor:
    """Ids [T, B], padded at the end."""
    return nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in lines], padding_value=PAD_ID)
