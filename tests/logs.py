"""What the package logs, also where a test has no fixtures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def logged() -> Iterator[list[str]]:
    """All messages of the package inside the block, of every level."""
    logger, collector = logging.getLogger("seqtrans"), _Collector()
    before = logger.level
    logger.addHandler(collector)
    logger.setLevel(logging.DEBUG)
    try:
        yield collector.messages
    finally:
        logger.setLevel(before)
        logger.removeHandler(collector)
