"""Asks a `WarmProcess` for one command: `python warm_client.py SOCKET ARGUMENT...` stands for `seqtrans ARGUMENT...`.

A request is one line of JSON, which carries the open standard streams with it (SCM_RIGHTS). The answer is the exit code
as a line of JSON. Whoever closes the connection before the answer has the command killed.

This file imports little, so that Python starts quickly; `-I -S` leaves out the rest.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence


def run_command(
    address: str,
    arguments: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    streams: Mapping[int, int],
    timeout: float | None = None,
) -> int:
    """The exit code of a command, negative for a signal; `streams` maps its descriptors 0 to 2 to ours.

    Raises:
        TimeoutError: it takes more than `timeout` seconds.
        EOFError: the warm process has ended.
    """
    request = {
        "arguments": list(arguments),
        "folder": folder,
        "environment": dict(environment),
        "streams": list(streams),
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(address)
        data = json.dumps(request).encode() + b"\n"
        connection.sendall(data[socket.send_fds(connection, [data], list(streams.values())) :])
        answer = connection.recv(100)
    if not answer:
        raise EOFError("the warm process has ended")
    return int(json.loads(answer))


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _main() -> None:
    streams = {descriptor: descriptor for descriptor in range(3) if _is_open(descriptor)}
    code = run_command(sys.argv[1], sys.argv[2:], os.getcwd(), os.environ, streams)  # noqa: PTH109 - imports less
    os._exit(code if code >= 0 else 128 - code)  # as a shell tells of a signal


if __name__ == "__main__":
    _main()
