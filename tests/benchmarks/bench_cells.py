"""`make bench-cells`: what a training step of each cell costs beside the library's LSTM.

Forward and backward of one layer whose inputs are as wide as it is, gradients of inputs and weights included. A
ratio is a cell's time a gate over nn.LSTM's time a gate, the median over rounds in which all take turns, since
machines change their speed. `loop` is the same cell by plain steps that autograd records.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from seqtrans.device import choose_compute
from seqtrans.recurrent.cells import cell_names, find_cell, variants
from seqtrans.recurrent.cells.base import Cell
from tests.benchmarks.bench import gemm_rate, processor

SIZES = [(hidden, batch, steps) for hidden in (256, 512) for batch in (64, 128) for steps in (20, 50)]
SHOWN = (512, 64, 50)
"""The size of which times are printed, and not only ratios."""

Run = Callable[[], float]

console = Console(highlight=False, width=120)


@dataclass(frozen=True)
class Figures:
    """What one size costs."""

    gates: float
    seconds: float
    """The median."""
    ratio: float
    """Of the time a gate to nn.LSTM's."""
    loop: float
    """Of the plain loop's time to this."""


def gates_of(cell: Cell) -> float:
    """Products with H inputs and H states and H results, counted by the weights that they take."""
    size = cell.hidden
    matrices = [weight for weight in cell.parameters() if len(weight) >= size <= weight[0].numel()]
    return sum(weight.numel() for weight in matrices) / (2 * size * size)


def training_step(module: nn.Module, apply: Callable[[Tensor], Tensor], inputs: Tensor, dtype: torch.dtype) -> Run:
    """Something that takes one forward and backward pass, and tells its seconds."""

    def run() -> float:
        inputs.grad = None
        module.zero_grad()
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            outputs = apply(inputs)
        outputs.backward(torch.ones_like(outputs))
        return time.perf_counter() - start

    return run


def both_ways(cell: Cell, inputs: Tensor, dtype: torch.dtype) -> list[Run]:
    """By the cell's sequence and by its loop."""
    state = cell.initial_state(inputs.shape[1])
    ways = (lambda x: cell.sequence(x, state), lambda x: cell.loop(x, state)[0])
    return [training_step(cell, way, inputs, dtype) for way in ways]


def measure(names: list[str], size: tuple[int, int, int], dtype: torch.dtype, rounds: int) -> dict[str, Figures]:
    """Let the library's LSTM, and each cell by its sequence and by its loop, take turns."""
    hidden, batch, steps = size
    inputs = torch.randn(steps, batch, hidden, requires_grad=True)
    library = nn.LSTM(hidden, hidden)
    cells = {name: find_cell(name)(hidden, hidden) for name in names}
    gates = {name: gates_of(cell) for name, cell in cells.items()}
    runs = {"nn.LSTM": [training_step(library, lambda x: library(x)[0], inputs, dtype)]}
    runs |= {name: both_ways(cell, inputs, dtype) for name, cell in cells.items()}
    taken: dict[str, list[list[float]]] = {name: [[] for _ in ways] for name, ways in runs.items()}
    for number in range(rounds + 1):
        for name, ways in runs.items():
            for way, seconds in zip(ways, taken[name], strict=True):
                found = way()
                if number:  # the first builds the library's kernels
                    seconds.append(found)
    (reference,) = taken["nn.LSTM"]
    results = {"nn.LSTM": Figures(4.0, statistics.median(reference), 1.0, 1.0)}
    for name in names:
        fast, loop = taken[name]
        results[name] = Figures(
            gates[name],
            statistics.median(fast),
            statistics.median(4 * a / (gates[name] * b) for a, b in zip(fast, reference, strict=True)),
            statistics.median(b / a for a, b in zip(fast, loop, strict=True)),
        )
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precision", nargs="+", default=["bf16", "fp32"], choices=["bf16", "fp32"])
    parser.add_argument("--cells", nargs="+", default=[v for name in cell_names() for v in variants(name)])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    for precision in arguments.precision:
        compute = choose_compute("cpu", precision, arguments.threads)
        console.print(f"{processor()}; {compute.describe()}; torch {torch.__version__}")
        found = {size: measure(arguments.cells, size, compute.dtype, arguments.rounds) for size in SIZES}
        heads = [f"{hidden}/{batch}/{steps}" for hidden, batch, steps in SIZES]
        table = Table("cell", *heads, title=f"{precision}: time a gate over nn.LSTM's (units/batch/steps)")
        for name in arguments.cells:
            table.add_row(name, *(f"{found[size][name].ratio:.2f}" for size in SIZES))
        console.print(table)
        hidden, batch, steps = SHOWN
        rate = gemm_rate(batch, hidden, 4 * hidden, compute.dtype)
        table = Table(
            "cell", "ms", "µs a step", "of GEMM rate", "plain loop / this, least", "most",
            title=f"{precision}: forward and backward at {hidden}/{batch}/{steps}; GEMM rate {rate:,.0f} GFLOP/s",
        )  # fmt: skip
        for name, shown in found[SHOWN].items():
            share = 3 * 2 * shown.gates * hidden * 2 * hidden * batch * steps / shown.seconds / 1e9 / rate
            loops = [found[size][name].loop for size in SIZES]
            table.add_row(
                name, f"{1000 * shown.seconds:.1f}", f"{1e6 * shown.seconds / steps:,.0f}", f"{share:.0%}",
                *((f"{min(loops):.2f}", f"{max(loops):.2f}") if name != "nn.LSTM" else ("", "")),
            )  # fmt: skip
        console.print(table)


if __name__ == "__main__":
    main()
