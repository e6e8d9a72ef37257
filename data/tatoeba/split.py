"""Split Tatoeba's pairs by a hash of the English side: `split.py OUTDIR < deu.txt`.

A sentence has many translations. Hashing keeps all pairs of an English sentence in one split, on every machine
and in every later release of the corpus, so that no test sentence is ever trained on.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

SPLITS = ("train", "dev", "test")


def split_of(english: str) -> str:
    """Test and dev for one sentence in a hundred each, train for all others."""
    bucket = int.from_bytes(hashlib.sha256(english.encode()).digest()[:8], "big") % 100
    return {0: "test", 1: "dev"}.get(bucket, "train")


def split(lines: Iterable[bytes], folder: Path) -> dict[str, int]:
    """Write {train,dev,test}.{deu,en} from `English TAB German TAB ...` lines; returns the number of pairs in each.

    The files appear under their names only when all are whole.

    Raises:
        ValueError: a line has no TAB.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{part}.{language}" for part in SPLITS for language in ("en", "deu")]
    counts = dict.fromkeys(SPLITS, 0)
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{name}.new").open("wb")) for name in names}
        for number, line in enumerate(lines, 1):
            columns = line.rstrip(b"\r\n").split(b"\t")
            if len(columns) < 2:
                raise ValueError(f"line {number} has no TAB between English and German")
            part = split_of(columns[0].decode())
            counts[part] += 1
            files[f"{part}.en"].write(columns[0] + b"\n")
            files[f"{part}.deu"].write(columns[1] + b"\n")
    for name in names:
        os.replace(folder / f"{name}.new", folder / name)  # noqa: PTH105 - the word for what it does
    return counts


def main() -> None:
    """Read the command line and stdin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("outdir", type=Path, help="the folder to write into")
    counts = split(sys.stdin.buffer, parser.parse_args().outdir)
    print(", ".join(f"{part} {count}" for part, count in counts.items()), file=sys.stderr)


if __name__ == "__main__":
    main()
