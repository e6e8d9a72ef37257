"""What becomes of SIGINT at random moments of the first seconds of a command: counts exit codes and messages.

    python -m tests.benchmarks.interruptions MODEL TEXT [COUNT]

Half of the commands are `translate` with MODEL, half `train` on TEXT. Each must end with 130 and at most one line.
Before Python has come to the first line of this package, some hundredths of a second, SIGINT has the effect that it has
on any Python: -2, or a traceback of Python's start.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

SECONDS = 3.0


def interrupted(arguments: list[str], seconds: float) -> str:
    """How a command ends that gets SIGINT after so many seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "seqtrans", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    try:
        told = process.communicate(timeout=30)[1].decode()
    except subprocess.TimeoutExpired:
        process.kill()
        return "went on"
    lines = told.count("\n")
    if "Traceback" in told or lines > 1:
        where = "of seqtrans" if "seqtrans/" in told else "of Python's start"
        return f"{process.returncode}, {lines} lines, {where}"
    return f"{process.returncode}, {lines} line(s)"


def main(model: str, text: str, count: str = "200") -> None:
    """Print how often each end was met."""
    draw = random.Random(1)
    ends: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(int(count)):
            output = f"{folder}/{number}.safetensors"
            commands = [
                ["translate", "-m", model],
                ["train", "--train", text, text, "--dev", text, text, "-o", output, "--threads", "1"],
            ]
            command = commands[number % 2]
            seconds = draw.uniform(0, SECONDS)
            end = interrupted(command, seconds)
            ends[command[0], end] += 1
            if not end.startswith("130, 0"):
                print(f"{command[0]} after {seconds:.3f} s: {end}", flush=True)
    for (name, end), times in sorted(ends.items()):
        print(f"{times:5} {name}: {end}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(*sys.argv[1:])
