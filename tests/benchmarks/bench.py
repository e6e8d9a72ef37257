"""`make bench`: speed on a fixed, generated workload, beside what this machine's matrix products reach.

Figures are medians of one run of this program, alone on the machine; compare ratios, not seconds, between machines.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from seqtrans.config.schema import ModelConfig, TrainingConfig
from seqtrans.device import Compute, choose_compute
from seqtrans.model.memory import Memory
from seqtrans.model.seq2seq import Seq2Seq
from seqtrans.search.decoding import search
from seqtrans.search.hypothesis import Request
from seqtrans.search.options import SearchOptions
from seqtrans.search.scorer import ModelScorer
from seqtrans.text.batches import Batch, epoch_order, make_batch
from seqtrans.text.corpus import EncodedCorpus, Ragged
from seqtrans.training.objective import batch_loss, readouts_loss
from seqtrans.training.update import Updater

VOCAB = 8000
BATCH = 64
PAIRS = 4096
ARCHITECTURE = ModelConfig(
    cell="lstm", attention="general", embedding=256, hidden=512, encoder_layers=1, decoder_layers=1, dropout=0.3
)
"""One bidirectional layer of 2 x 256, one decoder layer of 512, joint vocabulary of 8,000, tied embeddings."""

console = Console(highlight=False)


def corpus() -> EncodedCorpus:
    """Random pairs, in length like image captions and their translations, with Zipf-like frequencies.

    Sources have 13 subwords on average, with a standard deviation of 4; a target differs from its source by 2.
    """
    random = np.random.default_rng(1)
    source = random.normal(13, 4, PAIRS)
    lengths = np.clip(np.stack([source, source + random.normal(0, 2, PAIRS)]).round().astype(int), 3, 40)

    def side(row: int) -> Ragged:
        return Ragged.of([(4 + random.zipf(1.3, n) % (VOCAB - 4)).tolist() for n in lengths[row]])

    return EncodedCorpus(side(0), side(1), np.arange(PAIRS), {})


def gemm_rate(rows: int, inner: int, columns: int, dtype: torch.dtype) -> float:
    """GFLOP/s of one matrix product on this machine."""
    a, b = torch.randn(rows, inner).to(dtype), torch.randn(columns, inner).to(dtype)
    seconds = median_seconds(lambda: torch.nn.functional.linear(a, b), 20)
    return 2 * rows * inner * columns / seconds / 1e9


def median_seconds(work: Callable[[], object], times: int) -> float:
    """Of `times` runs, after two that do not count."""
    taken = []
    for _ in range(times + 2):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[2:])


def forward_flops(config: ModelConfig) -> float:
    """Floating-point operations of one source and one target subword, forward; training is three times that."""
    e, h = config.embedding, config.hidden
    first = e * (2 if config.input_feeding else 1)
    encoder = 2 * (2 * 4 * (h // 2) * (e + h // 2))
    decoder = 2 * 4 * h * (first + h)
    attention = 2 * h * h + 4 * 13 * h
    return encoder + decoder + attention + 2 * 2 * h * e + 2 * e * VOCAB


def training_speed(config: ModelConfig, data: EncodedCorpus, compute: Compute, updates: int) -> tuple[float, Updater]:
    """Target subwords a second, data pipeline and optimiser included; the median over stretches of updates."""
    torch.manual_seed(1)
    updater = Updater(Seq2Seq(config, VOCAB, VOCAB, joint=True), TrainingConfig(), compute)
    order = epoch_order(data, BATCH, 1, 0)
    rates = []
    for number, pairs in enumerate([*order, *order[:updates]], 1):
        start = time.perf_counter()
        batch = make_batch(data, pairs)
        updater.step(batch, number, 1e-3, batch_loss)
        if number > len(order):  # the first epoch builds the library's kernels for each length
            rates.append((batch.target_tokens, time.perf_counter() - start))
    stretches = [rates[i : i + 10] for i in range(0, len(rates), 10)]
    return statistics.median(sum(n for n, _ in s) / sum(t for _, t in s) for s in stretches), updater


def shares(updater: Updater, batch: Batch) -> dict[str, float]:
    """Seconds of each part of an update; the graph is cut between the parts, so that each is timed alone."""
    network, compute = updater.network, updater.compute
    assert isinstance(network, Seq2Seq)
    taken: dict[str, list[float]] = {}

    @contextmanager
    def clock(part: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        taken.setdefault(part, []).append(time.perf_counter() - start)

    network.train()
    for _ in range(12):
        updater.optimizer.zero_grad()
        with compute.arithmetic():
            with clock("encoder, forward"):
                encoded = network.encode(batch.source_SB, batch.source_lengths_B)
            memory = Memory(**{name: cut(tensor) for name, tensor in vars(encoded).items()})
            with clock("decoder, forward"):
                readouts = network.readouts(batch.inputs_TB, memory)
            read = cut(readouts)
            with clock("loss and its gradient"):
                loss, _ = readouts_loss(network, read, batch.outputs_TB, 0.1)
                (loss / batch.target_tokens).backward()
        with clock("decoder, backward"):
            readouts.backward(read.grad)
        used = [(o, c.grad) for o, c in zip(vars(encoded).values(), vars(memory).values(), strict=True)]
        outputs, gradients = zip(*((o, g) for o, g in used if g is not None), strict=True)
        with clock("encoder, backward"):
            torch.autograd.backward(outputs, gradients)
        with clock("Adam and average"):
            updater.optimizer.step()
            updater.average.update(8)
    return {part: statistics.median(seconds[2:]) for part, seconds in taken.items()}


def cut(tensor: Tensor) -> Tensor:
    """The same values, at which a backward pass ends."""
    return tensor.detach().requires_grad_(tensor.requires_grad)


def help_seconds() -> float:
    """Of `seqtrans --help`, as a process."""
    command = [sys.executable, "-m", "seqtrans", "--help"]
    return median_seconds(lambda: subprocess.run(command, check=True, capture_output=True), 5)


def decoding_speed(network: Seq2Seq, data: EncodedCorpus, compute: Compute, beam: int, lines: int) -> float:
    """Sentences a second in the search, every hypothesis as long as its source: the work of a trained model."""
    requests = [Request(ids) for ids in sorted((data.source[i].tolist() for i in range(lines)), key=len, reverse=True)]
    with torch.no_grad():  # nothing is learned here, so nothing ends by itself: the limit ends it
        network.output_bias[3] = -50
    scorer, options = ModelScorer(network), SearchOptions(beam=beam, max_ratio=1, max_extra=0)

    def work() -> None:
        with compute.arithmetic():
            search(scorer, requests, options, BATCH)

    return lines / median_seconds(work, 3)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--updates", type=int, default=60, help="that are timed, at most 64")
    arguments = parser.parse_args()
    compute = choose_compute("cpu", arguments.precision, arguments.threads)
    console.print(f"{processor()}; {compute.describe()}; torch {torch.__version__}")

    peak = gemm_rate(1024, 512, 2048, compute.dtype)
    table = Table("matrix product", "GFLOP/s", title="What this machine multiplies")
    for shape in ((1024, 512, 2048), (64, 512, 2048), (320, 512, 2048), (1024, 256, VOCAB), (1, 512, 2048)):
        table.add_row(" x ".join(map(str, shape)), f"{gemm_rate(*shape, compute.dtype):,.0f}")
    console.print(table)

    data = corpus()
    table = Table("training", "target tokens/s", "of GEMM rate", title=f"Batch {BATCH}, vocabulary {VOCAB}, LSTM")
    updaters = {}
    for name, config in (
        ("without input feeding", ARCHITECTURE),
        ("with input feeding", replace(ARCHITECTURE, input_feeding=True)),
        ("gru, without input feeding", replace(ARCHITECTURE, cell="gru")),
    ):
        rate, updaters[name] = training_speed(config, data, compute, arguments.updates)
        share = f"{rate * 3 * forward_flops(config) / peak / 1e9:.0%}" if config.cell == "lstm" else ""
        table.add_row(name, f"{rate:,.0f}", share)
    console.print(table)

    updater = updaters["without input feeding"]
    network = updater.network
    assert isinstance(network, Seq2Seq)
    parts = shares(updater, make_batch(data, epoch_order(data, BATCH, 1, 0)[0]))
    table = Table("part of an update", "ms", "share", title="Without input feeding")
    for name, seconds in parts.items():
        table.add_row(name, f"{1000 * seconds:.1f}", f"{seconds / sum(parts.values()):.0%}")
    console.print(table)

    table = Table("decoding", "sentences/s", title=f"{BATCH} sentences together, hypotheses as long as sources")
    for beam in (1, 5):
        table.add_row(f"beam {beam}", f"{decoding_speed(network, data, compute, beam, 512):,.0f}")
    console.print(table)
    console.print(f"seqtrans --help: {help_seconds():.2f} s")
    console.print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def processor() -> str:
    """The processor's name, and how many of it this process may use."""
    names = [line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {len(names) or 1} cores"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    main()
