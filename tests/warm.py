"""The real command line in processes that need not import torch first, which takes longer than most tests.

A process that has imported everything, and done nothing with it, forks one for each command. What it forks has the
streams, the arguments, the environment and the end of any other process. Commands come through a socket, several at
once if need be:

- `WarmProcess.run` asks for one, and collects what it prints.
- `WarmProcess.begin` asks for one, and tells its process.
- `WarmProcess.words` stand for `seqtrans` where a program is started, and `WarmProcess.install` writes an executable
  file that does so in a Makefile or in a pipeline of a shell. What is started hands on its arguments, environment,
  folder, standard streams, and the signals of a stop, and exits as the command does (`tests/warm_client.py`). If it is
  killed, so is the command.

All workers of a test run share one (`tests/conftest.py`).

A test needs a Python of its own where it sends signals while Python starts, where it sets a variable that Python or its
libraries read when they start (other than PYTHONPATH, whose folders are added), and where it tells what is imported or
how Python ends.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from tests import warm_client
from tests.warm_client import Command

Request = dict[str, Any]
"""As `warm_client.Command` sends it."""
Streams = dict[int, int]
"""For the numbers of the standard streams that are open, the descriptors that they come from."""


_LARGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "PYTHONMALLOC": "malloc"}
"""Memory in large pages, where Linux gives them: a process with few pages is forked in a quarter of the time."""


@contextlib.contextmanager
def started(environment: dict[str, str]) -> Iterator[str]:
    """Start a warm process, and give the address of its socket; each command brings its own environment."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        address = str(Path(folder) / "socket")
        listener.bind(address)
        listener.listen()
        with subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(listener.fileno())],
            stdin=subprocess.PIPE,  # the process ends when this does, when the block is left
            stdout=subprocess.DEVNULL,
            env={**environment, **_LARGE_PAGES},
            pass_fds=[listener.fileno()],
        ):
            listener.close()
            yield address


class WarmProcess:
    """Runs `seqtrans` again and again."""

    def __init__(self, address: str) -> None:
        """Of a warm process that has `started`."""
        self._address = address

    def run(
        self, arguments: list[str], text: bytes, folder: Path, timeout: float, environment: dict[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command in `folder` with `text` as its standard input.

        Raises:
            TimeoutError: it takes more than `timeout` seconds.
        """
        with contextlib.ExitStack() as files:
            streams: list[IO[bytes]] = [files.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            streams[0].write(text)
            streams[0].seek(0)
            numbers = {number: stream.fileno() for number, stream in enumerate(streams)}
            with Command(self._address, arguments, str(folder), environment, numbers, timeout=timeout) as command:
                code = command.wait()
            for stream in streams[1:]:
                stream.seek(0)
            return subprocess.CompletedProcess(arguments, code, streams[1].read(), streams[2].read())

    def begin(self, arguments: list[str], streams: Streams, environment: dict[str, str], timeout: float) -> Command:
        """Begin a command in the present folder, and wait for each answer at most so many seconds."""
        return Command(self._address, arguments, str(Path.cwd()), environment, streams, timeout=timeout)

    def words(self, *arguments: object) -> list[str]:
        """The words that start a program which stands for `seqtrans` with these arguments."""
        return [sys.executable, "-I", "-S", warm_client.__file__, self._address, *map(str, arguments)]

    def install(self, path: Path, *more: object) -> Path:
        """Write an executable file that runs a command with its own arguments and `more`; its folder may be missing."""
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec {shlex.join(self.words())} "$@" {shlex.join(map(str, more))}\n', "utf-8")
        path.chmod(0o755)
        return path


class _Server:
    """Forks a process for each connection, and answers with its exit code."""

    def __init__(self, listener: socket.socket, command: Callable[[Request, Streams], NoReturn]) -> None:
        """Serve until standard input ends."""
        self._command = command
        self._clients: dict[int, socket.socket] = {}  # by the process id of their command
        self._selector = selectors.DefaultSelector()
        self._wakeups, wakeup = socket.socketpair()
        self._sockets = [listener, self._wakeups, wakeup]
        wakeup.setblocking(False)
        signal.set_wakeup_fd(wakeup.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the selector
        self._selector.register(listener, selectors.EVENT_READ, lambda: self._start(listener.accept()[0]))
        self._selector.register(self._wakeups, selectors.EVENT_READ, self._answer)
        self._selector.register(0, selectors.EVENT_READ, sys.exit)

    def run(self) -> NoReturn:
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _start(self, client: socket.socket) -> None:
        """Fork a process for what is requested."""
        data, descriptors = _receive(client)
        process = 0
        if data.endswith(b"\n"):  # else the client has gone
            process = self._fork(client, json.loads(data), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        if process:
            with contextlib.suppress(OSError):
                _answer_with(client, process)
            self._clients[process] = client
            self._selector.register(client, selectors.EVENT_READ, lambda: self._abandon(process))

    def _fork(self, client: socket.socket, request: Request, descriptors: list[int]) -> int:
        process = os.fork()
        if not process:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._selector.close()
            for one in (*self._sockets, *self._clients.values(), client):
                one.close()
            self._command(request, dict(zip(request["streams"], descriptors, strict=True)))
        return process

    def _abandon(self, process: int) -> None:
        """End a command whose client has gone."""
        if process in self._clients:  # else it has ended at the same time
            self._selector.unregister(self._clients[process])
            os.kill(process, signal.SIGKILL)

    def _answer(self) -> None:
        """Tell the clients of all commands that have ended."""
        self._wakeups.recv(1 << 10)
        with contextlib.suppress(ChildProcessError):  # there are no more
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                client = self._clients.pop(ended[0])
                with contextlib.suppress(KeyError):  # it has gone
                    self._selector.unregister(client)
                with contextlib.suppress(OSError), client:
                    _answer_with(client, os.waitstatus_to_exitcode(ended[1]))


def _receive(client: socket.socket) -> tuple[bytes, list[int]]:
    """A request, and descriptors of its streams; a request that was cut short does not end in LF."""
    data, descriptors, _, _ = socket.recv_fds(client, 1 << 16, 3)
    while not data.endswith(b"\n") and (more := client.recv(1 << 16)):
        data += more
    return data, descriptors


def _answer_with(client: socket.socket, number: int) -> None:
    client.sendall(f"{number}\n".encode())


def _begin(request: Request, streams: Streams) -> None:
    """Become the process of a command; standard streams that its client has not are closed."""
    from seqtrans import plugins

    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if number in streams:
            os.dup2(streams[number], number)
            os.close(streams[number])
            setattr(sys, name, os.fdopen(number, "w" if number else "r", 1 if number == 2 else -1, closefd=False))
        else:
            os.close(number)
            setattr(sys, name, None)
    for ignored in request["ignored"]:
        signal.signal(ignored, signal.SIG_IGN)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[1:1] = new = [path for path in added if path and path not in sys.path]
    if new:
        plugins.entry_points.cache_clear()
    sys.argv = ["seqtrans", *request["arguments"]]
    sys.modules["__main__"].__package__ = ""  # else usage lines name this module


def _import_all() -> None:
    """Import what commands import: the package, the libraries that it loads late, and what they load late themselves.

    The first optimiser imports the compiler of torch, the first parsed flag pydantic: more than most commands need
    for their work.
    """
    import sacrebleu
    import torch

    import seqtrans
    from seqtrans.cli.app import program

    for module in pkgutil.walk_packages(seqtrans.__path__, "seqtrans."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
    sacrebleu.corpus_bleu(["a"], [["a"]])
    with contextlib.redirect_stdout(io.StringIO()):
        program()(["train", "--help"], standalone_mode=False)


def _leave_operators_registered() -> None:
    """Spare each command the removal of torch's operators at its end, which takes as long as all else that it does."""
    for finalizer in weakref.finalize._registry:  # type: ignore[attr-defined]
        finalizer.atexit = False


class _QuickEnd:
    """Ends a process after its exit functions; else Python takes apart all that is imported, which takes far longer."""

    def __init__(self) -> None:
        """To be made before anything is imported: the exit function that is registered first runs last."""
        self.code = 0
        atexit.register(lambda: os._exit(self.code))

    def run(self, main: Callable[[], NoReturn]) -> NoReturn:
        """Run a command, and keep its exit code."""
        try:
            main()
        except BaseException as stop:
            self.code = stop.code if isinstance(stop, SystemExit) and isinstance(stop.code, int) else 1
            raise


def _serve(listener: socket.socket) -> NoReturn:
    end = _QuickEnd()
    from seqtrans.cli.app import main

    def command(request: Request, streams: Streams) -> NoReturn:
        _begin(request, streams)
        main()

    _import_all()
    _leave_operators_registered()
    gc.freeze()  # else the first collection in each child copies all of it
    _Server(listener, lambda request, streams: end.run(lambda: command(request, streams))).run()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
