"""Write the demo corpus: `generate.py OUTDIR` makes {train,dev,test}.{en,de}, the same bytes every time."""

from __future__ import annotations

import argparse
from pathlib import Path

from grammar.corpus import splits
from grammar.sentences import Sentence


def write(corpus: dict[str, list[Sentence]], folder: Path) -> None:
    """Write the six files into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, sentences in corpus.items():
        for language in ("en", "de"):
            lines = "".join(f"{getattr(sentence, language)}\n" for sentence in sentences)
            (folder / f"{split}.{language}").write_bytes(lines.encode())


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("outdir", type=Path, help="the folder to write into")
    folder = parser.parse_args().outdir
    write(splits(), folder)


if __name__ == "__main__":
    main()
