"""Takes capitals and accents away from standard input, a character for a character."""

from __future__ import annotations

import sys
import unicodedata


def plain(character: str) -> str:
    """The small Latin letter under a capital or an accent; anything else as it is."""
    letter = unicodedata.normalize("NFD", character)[0].lower()
    return letter if len(letter) == 1 and unicodedata.name(letter, "").startswith("LATIN") else character


def main() -> None:
    """plain.py < TEXT."""
    sys.stdin.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    for line in sys.stdin:
        sys.stdout.write("".join(map(plain, line)))


if __name__ == "__main__":
    main()
