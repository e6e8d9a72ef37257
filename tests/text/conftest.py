"""Small corpora."""

from __future__ import annotations

from tests.corpora import corpus, letters, write_lines

__all__ = ["corpus", "letters", "write_lines"]
