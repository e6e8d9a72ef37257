"""`make soak`: 100,000 lines, none twice, through `seqtrans translate` in a pipe. Every line has to come out, in time,
and memory has to stay what it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "data" / "demo"))

from grammar.corpus import draw
from grammar.dice import Dice

WARM = 0.1
"""The share of the lines after which memory should have come to rest."""
GROWTH = 1.1
"""By how much it may grow after that."""

console = Console(highlight=False)


def resident(pid: int) -> float:
    """MiB that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    """Feed, count, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("text", type=Path, nargs="?", help="again and again; without it the demo's grammar speaks")
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--beam", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.text is None:
        text: Iterator[bytes] = (f"{sentence.en}\n".encode() for sentence in draw(Dice(1)))
    else:
        text = cycle(arguments.text.read_bytes().splitlines(keepends=True))
    lines = list(islice(text, arguments.lines))
    command = [sys.executable, "-m", "seqtrans", "translate", "-m", str(arguments.model), "--beam", str(arguments.beam)]
    start = time.perf_counter()
    written: list[float] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        sink = process.stdin

        def feed() -> None:
            for line in lines:
                sink.write(line)
            written.append(time.perf_counter() - start)
            sink.close()

        threading.Thread(target=feed).start()
        first, warm, peak, count = 0.0, 0.0, 0.0, 0
        for count, _ in enumerate(process.stdout, 1):
            if count == 1:
                first = time.perf_counter() - start
            if count % 1000 == 0 and count < arguments.lines:
                now = resident(process.pid)
                warm = max(warm, now) if count <= arguments.lines * WARM else warm
                peak = max(peak, now)
    seconds = time.perf_counter() - start
    console.print(
        f"{count:,} of {arguments.lines:,} lines in {seconds:.0f} s; the first came out after {first:.1f} s, the last "
        f"went in after {written[0]:.1f} s; {warm:.0f} MiB after a tenth of them, {peak:.0f} MiB at most"
    )
    if count != arguments.lines or process.returncode or first >= written[0] or peak > GROWTH * warm:
        sys.exit("soak: not as it should be")


if __name__ == "__main__":
    main()
