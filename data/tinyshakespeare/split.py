"""Split a text by characters, at line ends: the last tenth is the test, and of the rest the last twentieth is dev."""

from __future__ import annotations

import sys
from pathlib import Path


def head_and_tail(text: str, share: float) -> tuple[str, str]:
    """The text up to the end of the line in which that share of its characters is reached, and the rest."""
    cut = text.index("\n", int(len(text) * share)) + 1
    return text[:cut], text[cut:]


def main() -> None:
    """split.py TEXT FOLDER."""
    text, folder = Path(sys.argv[1]).read_text("utf-8"), Path(sys.argv[2])
    rest, test = head_and_tail(text, 0.9)
    train, dev = head_and_tail(rest, 0.95)
    for name, part in (("train", train), ("dev", dev), ("test", test)):
        (folder / f"{name}.txt").write_text(part, "utf-8")


if __name__ == "__main__":
    main()
