"""What several tests of `seqtrans translate` send, and how they read what comes back."""

from __future__ import annotations

from typing import Any

SOURCE = b"one two three\nfour five\n\nsix\n"


def lines(run: Any) -> list[str]:
    """The translations of `SOURCE`, or of four lines like these, by a run that went well."""
    assert run.returncode == 0, run.stderr.decode()
    found: list[str] = run.stdout.decode().split("\n")[:-1]
    assert len(found) == 4
    assert found[2] == ""
    return found
