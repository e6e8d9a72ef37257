"""`seqtrans generate`: text drawn from a language model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from seqtrans.cli.models import CellOption, load
from seqtrans.cli.options import DeviceOption, PrecisionOption, ThreadsOption
from seqtrans.errors import UsageError


def generate(
    model: Annotated[Path, typer.Option("--model", "-m", help="The model file, of a language model.")],
    lines: Annotated[int, typer.Option("--lines", "-n", help="Lines to draw, each going on from those before.")] = 10,
    prompt: Annotated[str, typer.Option(help="What the first line begins with.")] = "",
    temperature: Annotated[
        float, typer.Option(help="Below 1 keeps to what is likely, above 1 strays; 0 takes the likeliest.")
    ] = 1.0,
    top_k: Annotated[int, typer.Option(help="Draw from the so many likeliest subwords; 0: from all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Draw from the likeliest that together are as probable as this.")] = 1.0,
    max_length: Annotated[int, typer.Option(help="Subwords at which a line is ended.")] = 1000,
    seed: Annotated[int, typer.Option(help="Where the randomness comes from.")] = 1,
    cell: CellOption = None,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
) -> None:
    """Draw lines of text from a language model.

    The same seed draws the same lines.
    """
    if lines < 0 or top_k < 0 or max_length < 1:
        raise UsageError("--lines and --top-k must be at least 0, --max-length at least 1")
    if not 0 <= temperature <= 100:
        raise UsageError(f"--temperature must be between 0 and 100, not {temperature}")
    if not 0 < top_p <= 1:
        raise UsageError(f"--top-p must be above 0 and at most 1, not {top_p}")
    if "\n" in prompt:
        raise UsageError("--prompt is the beginning of one line")
    if not 0 <= seed < 2**63:
        raise UsageError(f"--seed must be between 0 and 2^63 - 1, not {seed}")

    from seqtrans.device import choose_compute
    from seqtrans.generation import generated_lines
    from seqtrans.search.sampling import SamplingOptions
    from seqtrans.text.lines import one_line

    options = SamplingOptions(temperature, top_k, top_p, seed)
    compute = choose_compute(device, precision, threads)
    trained = load(model, cell)
    for line in generated_lines(trained, compute, options, prompt, lines, max_length):
        sys.stdout.buffer.write(one_line(line))
        sys.stdout.buffer.flush()
