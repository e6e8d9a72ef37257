"""Compare networks: `cells.py out/en-de/networks/*.json`, scores beside which the training logs lie."""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path
from statistics import median


def rate(log: Path) -> tuple[int, float]:
    """The updates of a training, and target subwords a second: the median over its log, validations left out.

    Zeros where it was too short to tell.
    """
    events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    rates = [
        (after["tokens"] - before["tokens"]) / (after["seconds"] - before["seconds"])
        for before, after in pairwise(events)
        if before["event"] == after["event"] == "step"
    ]
    return max((event["step"] for event in events), default=0), median(rates or [0.0])


def row(score: Path) -> str:
    """One network."""
    (system,) = json.loads(score.read_text("utf-8"))["systems"]
    bleu = next(float(metric["score"]) for metric in system["metrics"] if metric["name"] == "bleu")
    updates, speed = rate(score.with_suffix(".training.log.jsonl"))
    return f"{score.stem:<20}  {bleu:>8.2f}  {speed:>17,.0f}  {updates:>7,}"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("scores", type=Path, nargs="+", help="a JSON file a network")
    print(f"{'network':<20}  {'dev BLEU':>8}  {'subwords a second':>17}  {'updates':>7}")
    for score in parser.parse_args().scores:
        print(row(score))


if __name__ == "__main__":
    main()
