"""What several tests of `seqtrans translate` send, and how they read what comes back."""

from __future__ import annotations

import subprocess
from typing import Any

from tests.conftest import seqtrans_environment

SOURCE = b"one two three\nfour five\n\nsix\n"


def lines(run: Any) -> list[str]:
    """The translations of `SOURCE`, or of four lines like these, by a run that went well."""
    assert run.returncode == 0, run.stderr.decode()
    found: list[str] = run.stdout.decode().split("\n")[:-1]
    assert len(found) == 4
    assert found[2] == ""
    return found


def asked_in_a_pipe(command: list[str], text: str = "one two\n", **environment: str) -> subprocess.Popen[bytes]:
    """A process of `seqtrans translate` that has been sent one line, and may be sent more."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=seqtrans_environment(**environment),
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(text.encode())
    process.stdin.flush()
    return process
