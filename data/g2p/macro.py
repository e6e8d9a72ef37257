"""Average scores over languages: `macro.py out/*/score.json`, files that `seqtrans score --json` wrote.

A word counts as wrong unless all its phones are right: WER is 100 - exact. `seqtrans score --metric wer` counts the
phones between spaces, which is the phone error rate, PER. Each language weighs the same.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import fmean


def rates(path: Path) -> tuple[float, float]:
    """Word and phone error rate of one language, in percent.

    Raises:
        ValueError: the file lacks one of the two metrics.
    """
    system = json.loads(path.read_text(encoding="utf-8"))["systems"][0]
    scores = {metric["name"]: float(metric["score"]) for metric in system["metrics"]}
    missing = {"exact", "wer"} - scores.keys()
    if missing:
        raise ValueError(
            f"{path}: no {' and no '.join(sorted(missing))}; score with --metric exact --metric wer --json"
        )
    return 100 - scores["exact"], scores["wer"]


def table(paths: list[Path]) -> str:
    """A line a language, named by its folder, and one for their mean."""
    found = {path.parent.name: rates(path) for path in paths}
    rows = [f"{name}  WER = {wer:6.2f}  PER = {per:6.2f}" for name, (wer, per) in found.items()]
    words, phones = zip(*found.values(), strict=True)
    rows.append(f"macro  WER = {fmean(words):.2f}  PER = {fmean(phones):.2f}  languages: {len(found)}")
    return "\n".join(rows)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("scores", type=Path, nargs="+", help="a JSON file a language, in a folder of its name")
    print(table(parser.parse_args().scores))


if __name__ == "__main__":
    main()
