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


def gates_of(module: nn.Module, hidden: int) -> float:
    """Products with H inputs and H states and H results, counted by the weights that they take."""
    return sum(weight.numel() for weight in module.parameters() if len(weight) >= hidden <= weight[0].numel()) / (
        2 * hidden * hidden
    )


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


def contestants(names: list[str], hidden: int, batch: int, steps: int, dtype: torch.dtype) -> dict[str, list[Run]]:
    """The library's LSTM, and each cell by its sequence and by its loop."""
    inputs = torch.randn(steps, batch, hidden, requires_grad=True)
    library = nn.LSTM(hidden, hidden)
    runs = {"nn.LSTM": [training_step(library, lambda x: library(x)[0], inputs, dtype)]}

    def both(cell: Cell) -> list[Run]:
        state = cell.initial_state(batch)
        ways = (lambda x: cell.sequence(x, state), lambda x: cell.loop(x, state)[0])
        return [training_step(cell, way, inputs, dtype) for way in ways]

    return runs | {name: both(find_cell(name)(hidden, hidden)) for name in names}


def measure(names: list[str], size: tuple[int, int, int], dtype: torch.dtype, rounds: int) -> dict[str, list[float]]:
    """Median seconds of the sequence, its ratio a gate to nn.LSTM, and the loop's ratio to the sequence."""
    runs = contestants(names, *size, dtype)
    taken: dict[str, list[list[float]]] = {name: [[] for _ in ways] for name, ways in runs.items()}
    for number in range(rounds + 1):
        for name, ways in runs.items():
            for way, seconds in zip(ways, taken[name], strict=True):
                found = way()
                if number:  # the first builds the library's kernels
                    seconds.append(found)
    (library,) = taken["nn.LSTM"]
    results = {"nn.LSTM": [statistics.median(library), 1.0, 1.0]}
    for name in names:
        fast, loop = taken[name]
        gates = gates_of(find_cell(name)(size[0], size[0]), size[0])
        ratio = statistics.median(4 * a / (gates * b) for a, b in zip(fast, library, strict=True))
        results[name] = [
            statistics.median(fast),
            ratio,
            statistics.median(b / a for a, b in zip(fast, loop, strict=True)),
        ]
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
            table.add_row(name, *(f"{found[size][name][1]:.2f}" for size in SIZES))
        console.print(table)
        hidden, batch, steps = SHOWN
        rate = gemm_rate(batch, hidden, 4 * hidden, compute.dtype)
        table = Table(
            "cell", "ms", "µs a step", "of GEMM rate", "plain loop / this, least", "most",
            title=f"{precision}: forward and backward at {hidden}/{batch}/{steps}; GEMM rate {rate:,.0f} GFLOP/s",
        )  # fmt: skip
        for name, (seconds, _, _) in found[SHOWN].items():
            gates = 4.0 if name == "nn.LSTM" else gates_of(find_cell(name)(hidden, hidden), hidden)
            share = 3 * 2 * gates * hidden * 2 * hidden * batch * steps / seconds / 1e9 / rate
            loops = [found[size][name][2] for size in SIZES]
            table.add_row(
                name, f"{1000 * seconds:.1f}", f"{1e6 * seconds / steps:,.0f}", f"{share:.0%}",
                *((f"{min(loops):.2f}", f"{max(loops):.2f}") if name != "nn.LSTM" else ("", "")),
            )  # fmt: skip
        console.print(table)


if __name__ == "__main__":
    main()
