"""`make bench-decode`: translating Multi30k test_2016_flickr side by side with OpenNMT-py.

Whole processes, medians of three, in turns on the same machine with the same number of threads. Beside it the time
that each program says it took without starting Python, and BLEU. Then single lines through a pipe.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

RUNS = 3
SINGLE = 200
"""Lines of which the latency is measured."""
MARK = "\u2581"

console = Console(highlight=False)


@dataclass(frozen=True)
class Timed:
    """Seconds of a run, whole and without the start of Python, and its output."""

    whole: float
    inside: float
    lines: list[str]


@dataclass(frozen=True)
class Bench:
    """Where everything lies."""

    seqtrans: str
    opennmt: Path
    folder: Path
    corpus: Path
    environment: dict[str, str]

    def ours(self, beam: int, batch: int, precision: str, more: tuple[str, ...] = ()) -> Timed:
        """Seqtrans."""
        command = [self.seqtrans, "translate", "-m", str(self.folder / "seqtrans.safetensors"), "--verbose"]
        command += ["--beam", str(beam), "--batch-size", str(batch), "--precision", precision, *more]
        with (self.corpus / "test_2016_flickr.en").open("rb") as source:
            start = time.perf_counter()
            run = subprocess.run(command, stdin=source, capture_output=True, env=self.environment, check=True)
            whole = time.perf_counter() - start
        said = run.stderr.decode().splitlines()[-1]
        inside = re.findall(r" in ([\d.]+) s", said)  # loading and translating
        return Timed(whole, sum(map(float, inside)), run.stdout.decode().splitlines())

    def theirs(self, beam: int, batch: int) -> Timed:
        """OpenNMT-py."""
        output = self.folder / "opennmt.output"
        command = [str(self.opennmt.absolute()), "-model", str(self.folder / "opennmt_step_2200.pt")]
        command += ["-src", str(self.folder / "test_2016_flickr.en.pieces"), "-output", str(output)]
        command += ["-beam_size", str(beam), "-batch_size", str(batch)]
        start = time.perf_counter()
        run = subprocess.run(command, capture_output=True, env=self.environment, check=True)
        whole = time.perf_counter() - start
        inside = re.search(r"interpreter load/terminate: +([\d.]+)", (run.stdout + run.stderr).decode())
        assert inside is not None, (run.stdout + run.stderr).decode()
        lines = output.read_text("utf-8").splitlines()
        return Timed(whole, float(inside[1]), [line.replace(" ", "").replace(MARK, " ").strip() for line in lines])

    def bleu(self, lines: list[str]) -> str:
        """Against the reference."""
        hypotheses = self.folder / "hypotheses"
        hypotheses.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        reference = self.corpus / "test_2016_flickr.de"
        command = [self.seqtrans, "score", str(hypotheses), "-r", str(reference), "--metric", "bleu"]
        found = re.match(r"BLEU = ([\d.]+)", subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert found is not None
        return found[1]

    def latencies(self, beam: int, precision: str) -> list[float]:
        """Milliseconds from a line in to its translation out, the first line, which finds all cold, left out."""
        command = [self.seqtrans, "translate", "-m", str(self.folder / "seqtrans.safetensors")]
        command += ["--beam", str(beam), "--precision", precision]
        lines = (self.corpus / "test_2016_flickr.en").read_bytes().splitlines(keepends=True)[: SINGLE + 1]
        found = []
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.environment) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for line in lines:
                start = time.perf_counter()
                process.stdin.write(line)
                process.stdin.flush()
                process.stdout.readline()
                found.append((time.perf_counter() - start) * 1000)
            process.stdin.close()
        return found[1:]


def medians(programs: dict[str, Callable[[], Timed]]) -> dict[str, Timed]:
    """Of several runs of each, in turns, so that a machine that slows down does so for all."""
    runs = [{name: run() for name, run in programs.items()} for _ in range(RUNS)]
    return {
        name: Timed(
            statistics.median(run[name].whole for run in runs),
            statistics.median(run[name].inside for run in runs),
            runs[0][name].lines,
        )
        for name in programs
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seqtrans", required=True)
    for name in ("opennmt", "folder", "corpus"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    environment = dict(os.environ, OMP_NUM_THREADS=str(arguments.threads))
    bench = Bench(arguments.seqtrans, arguments.opennmt, arguments.folder, arguments.corpus, environment)
    console.print(f"{platform.machine()}, {arguments.threads} threads; 1,000 lines; ratios are to OpenNMT-py")

    table = Table("beam", "batch", "program", "whole", "ratio", "inside", "ratio", "BLEU")
    processes = ("--processes", str(arguments.threads))
    kinds: list[tuple[str, tuple[str, ...]]] = [("fp32", ()), ("bf16", ()), ("int8", ()), ("bf16", processes)]
    kinds += [("fp32", ("--shortlist",)), ("bf16", ("--shortlist",)), ("bf16", ("--shortlist", *processes))]
    for beam in (1, 5):
        for batch in (1, 16, 64):
            programs: dict[str, Callable[[], Timed]] = {"OpenNMT-py": partial(bench.theirs, beam, batch)}
            for precision, more in kinds:
                name = " ".join([precision, *(flag.removeprefix("--") for flag in more)])
                programs[name] = partial(bench.ours, beam, batch, precision, more)
            found = medians(programs)
            theirs = found["OpenNMT-py"]
            for name, ours in found.items():
                ratio = f"{theirs.inside / ours.inside:.1f}"
                console.print(
                    f"beam {beam}, batch {batch}, {name}: {ours.inside:.2f} s inside, ratio {ratio}", style="dim"
                )
                table.add_row(
                    str(beam) if ours is theirs else "",
                    str(batch) if ours is theirs else "",
                    name,
                    f"{ours.whole:.2f} s",
                    "" if ours is theirs else f"{theirs.whole / ours.whole:.1f}",
                    f"{ours.inside:.2f} s",
                    "" if ours is theirs else ratio,
                    bench.bleu(ours.lines),
                )
    console.print(table)

    table = Table("beam", "precision", "p50", "p95", title=f"Milliseconds for a single line in a pipe, {SINGLE} lines")
    for beam in (1, 5):
        for precision in ("fp32", "bf16", "int8"):
            taken = sorted(bench.latencies(beam, precision))
            table.add_row(str(beam), precision, f"{taken[len(taken) // 2]:.1f}", f"{taken[int(len(taken) * 0.95)]:.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
