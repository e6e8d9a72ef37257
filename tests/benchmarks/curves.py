"""`make curves`: whether training in bfloat16 goes the way of training in 32 bits, for every cell.

The loss of 300 updates of the same translator on the same batches, in means of 50: none may differ by 2 percent.
"""

from __future__ import annotations

import random
import sys

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from seqtrans.config.schema import ModelConfig, TrainingConfig
from seqtrans.device import Compute
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.recurrent.cells import cell_names, variants
from seqtrans.text.batches import make_batch
from seqtrans.text.corpus import EncodedCorpus, ParallelText, encode_corpus
from seqtrans.text.subword_training import learn_subwords
from seqtrans.training.objective import batch_loss
from seqtrans.training.update import Updater

UPDATES, WINDOW, BATCH, UNITS = 300, 50, 8, 16
RATE = 0.003
MOST = 0.02


def words_backwards() -> tuple[EncodedCorpus, int]:
    """Words of few letters and their reversal, and the size of their vocabulary."""
    letters = learn_subwords(["abc def", "fed cba"], "char", 100)
    draw = random.Random(71)
    words = ["".join(draw.choices("abcdef", k=draw.randint(1, 4))) for _ in range(733)]
    text = ParallelText("words", words, [word[::-1] for word in words], {})
    return encode_corpus(text, letters, letters, 100), letters.size


def curve(cell: str, dtype: torch.dtype, corpus: EncodedCorpus, vocab: int) -> NDArray[np.float64]:
    """The mean loss of each window of updates."""
    torch.manual_seed(1)
    network = Seq2Seq(ModelConfig(cell=cell, embedding=UNITS, hidden=UNITS, dropout=0.1), vocab, vocab, joint=True)
    updater = Updater(network, TrainingConfig(), Compute(torch.device("cpu"), dtype, "comparison"))
    pick = np.random.default_rng(1)
    losses = [
        updater.step(make_batch(corpus, pick.choice(len(corpus), BATCH)), number, RATE, batch_loss).loss
        for number in range(1, UPDATES + 1)
    ]
    means: NDArray[np.float64] = np.array(losses).reshape(-1, WINDOW).mean(axis=1)
    return means


def main() -> None:
    """Compare all cells; exit with 1 where one goes astray."""
    torch.set_num_threads(1)
    corpus, vocab = words_backwards()
    table = Table("cell", "32 bits", "bfloat16", "largest difference", title="loss of the last 50 of 300 updates")
    astray = False
    for cell in (variant for name in cell_names() for variant in variants(name)):
        exact, low = (curve(cell, dtype, corpus, vocab) for dtype in (torch.float32, torch.bfloat16))
        difference = float(np.abs(low / exact - 1).max())
        astray = astray or not difference <= MOST
        table.add_row(cell, f"{exact[-1]:.3f}", f"{low[-1]:.3f}", f"{difference:.2%}")
    Console(highlight=False).print(table)
    sys.exit(int(astray))


if __name__ == "__main__":
    main()
