"""Asks a `WarmProcess` for one command: `python warm_client.py SOCKET ARGUMENT...` stands for `seqtrans ARGUMENT...`.

A request is one line of JSON, which carries the open standard streams with it (SCM_RIGHTS). Two lines answer it: the id
of the command's process, and at the end its exit code. Whoever closes the connection before has the command killed.

This file imports little, so that Python starts quickly; `-I -S` leaves out the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What the stand-in hands on to the command, or has it ignore."""
HANDED_ON = {**{number: number for number in STOPS}, signal.SIGTSTP: signal.SIGSTOP, signal.SIGCONT: signal.SIGCONT}
"""What the stand-in sends to the command for each signal that it gets."""


class Command:
    """A command that a warm process runs. It is killed where the block that has begun it ends before it."""

    def __init__(
        self,
        address: str,
        arguments: Sequence[str],
        folder: str,
        environment: Mapping[str, str],
        streams: Mapping[int, int],
        ignored: Sequence[int] = (),
        timeout: float | None = None,
    ) -> None:
        """Begin it: `streams` maps its descriptors 0 to 2 to ours, `ignored` are numbers of signals.

        Raises:
            TimeoutError: it does not begin within `timeout` seconds.
            EOFError: the warm process has ended.
        """
        request = {
            "arguments": list(arguments),
            "folder": folder,
            "environment": dict(environment),
            "streams": list(streams),
            "ignored": list(ignored),
        }
        data = json.dumps(request).encode() + b"\n"
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.settimeout(timeout)
        self._connection.connect(address)
        self._answers = self._connection.makefile("rb")
        self._connection.sendall(data[socket.send_fds(self._connection, [data], list(streams.values())) :])
        self.process = self._answer()

    def wait(self) -> int:
        """Its exit code, negative for a signal.

        Raises:
            TimeoutError: it takes more than `timeout` seconds.
            EOFError: the warm process has ended.
        """
        return self._answer()

    def fileno(self) -> int:
        """The descriptor that can be read when the command has ended."""
        return self._connection.fileno()

    def __enter__(self) -> Command:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._answers.close()
        self._connection.close()

    def _answer(self) -> int:
        line = self._answers.readline()
        if not line:
            raise EOFError("the warm process has ended")
        return int(json.loads(line))


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _main() -> None:
    streams = {descriptor: descriptor for descriptor in range(3) if _is_open(descriptor)}
    ignored = [number for number in STOPS if signal.getsignal(number) is signal.SIG_IGN]
    folder = os.getcwd()  # noqa: PTH109 - imports less
    signals, wakeup = socket.socketpair()  # a wait for both misses no signal
    wakeup.setblocking(False)
    signal.set_wakeup_fd(wakeup.fileno())
    for number in set(HANDED_ON) - set(ignored):
        signal.signal(number, lambda _number, _frame: None)
    with Command(sys.argv[1], sys.argv[2:], folder, os.environ, streams, ignored) as command:
        ends = [signals.fileno(), command.fileno()]
        while ends[0] in select.select(ends, [], [])[0]:
            for received in signals.recv(100):
                with contextlib.suppress(ProcessLookupError):  # it has ended at the same time
                    os.kill(command.process, HANDED_ON[signal.Signals(received)])
        code = command.wait()
    os._exit(code if code >= 0 else 128 - code)  # as a shell tells of a signal


if __name__ == "__main__":
    _main()
