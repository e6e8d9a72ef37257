"""The real command line in processes that need not import torch first, which takes longer than most tests.

A process that has imported everything, and done nothing with it, forks one for each command. What it forks has the
streams, the arguments and the end of any other process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

_PAUSE = 0.005


class WarmProcess:
    """Runs `seqtrans` again and again, one command at a time."""

    def __init__(self, environment: dict[str, str]) -> None:
        """All commands have this environment."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )

    def run(
        self, arguments: list[str], text: bytes, folder: Path, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command in `folder` with `text` as its standard input.

        Raises:
            subprocess.TimeoutExpired: it takes more than `timeout` seconds.
        """
        with tempfile.TemporaryDirectory() as name:
            streams = [Path(name) / stream for stream in ("stdin", "stdout", "stderr")]
            streams[0].write_bytes(text)
            request = {"arguments": arguments, "streams": list(map(str, streams)), "folder": str(folder)}
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps({**request, "timeout": timeout}).encode() + b"\n")
            self._process.stdin.flush()
            code = json.loads(self._process.stdout.readline())
            if code is None:
                raise subprocess.TimeoutExpired(arguments, timeout)
            return subprocess.CompletedProcess(arguments, code, streams[1].read_bytes(), streams[2].read_bytes())

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def _begin(request: dict[str, Any]) -> None:
    """Become the process of a command."""
    for descriptor, path in enumerate(request["streams"]):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT if descriptor else os.O_RDONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(request["folder"])
    sys.argv = ["seqtrans", *request["arguments"]]


def _ended(child: int, timeout: float) -> int | None:
    """The exit code of a process; None where it had to be killed."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        process, status = os.waitpid(child, os.WNOHANG)
        if process:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_PAUSE)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _serve() -> NoReturn:
    import seqtrans.cli.translate
    import seqtrans.forcing
    import seqtrans.tagging
    import seqtrans.training.job  # noqa: F401 - and with these nearly everything else
    from seqtrans.cli.app import main

    # the standard streams are those of the commands
    requests, answers = (os.fdopen(os.dup(descriptor), mode) for descriptor, mode in ((0, "rb"), (1, "wb")))
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    for line in requests:
        request = json.loads(line)
        child = os.fork()
        if not child:
            requests.close()
            answers.close()
            _begin(request)
            main()
        answers.write(json.dumps(_ended(child, request["timeout"])).encode() + b"\n")
        answers.flush()
    sys.exit()


if __name__ == "__main__":
    _serve()
