"""Signals at any moment of a command, its imports included: an exit code, and no traceback."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT, seqtrans_command, seqtrans_environment
from tests.warm import WarmProcess


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("swallowed", ["except BaseException: pass", "finally: pass"])
def test_a_signal_in_an_import_ends_the_process(number: signal.Signals, swallowed: str, tmp_path: Path) -> None:
    """Also where a library tries to import another, and takes what is raised for a failure of that."""
    (tmp_path / "slow.py").write_text("import time\nprint('here', flush=True)\ntime.sleep(30)\n", "utf-8")
    (tmp_path / "library.py").write_text(f"try: import slow\n{swallowed}\n", "utf-8")
    code = "from seqtrans.cli.signals import receive_signals\nreceive_signals()\nimport library"
    environment = seqtrans_environment(PYTHONPATH=f"{ROOT}:{tmp_path}")
    assert ended(code, environment, number) == (128 + number, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_output_that_is_begun_is_removed(number: signal.Signals, tmp_path: Path) -> None:
    code = (
        "from seqtrans.cli.signals import receive_signals\nfrom seqtrans.io.files import atomic_output\n"
        f"receive_signals()\nwith atomic_output({str(tmp_path / 'out')!r}) as stream: import slow"
    )
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "slow.py").write_text("import time\nprint('here', flush=True)\ntime.sleep(30)\n", "utf-8")
    environment = seqtrans_environment(PYTHONPATH=f"{ROOT}:{tmp_path / 'library'}", PYTHONDONTWRITEBYTECODE="1")
    assert ended(code, environment, number) == (128 + number, b"")
    assert [path.name for path in tmp_path.iterdir()] == ["library"]


def test_an_exception_that_is_lost_ends_the_process_all_the_same() -> None:
    code = (
        "import time\nfrom seqtrans.cli import signals\nsignals._PATIENCE = 0.5\n"
        "signals.receive_signals().is_awaited = True\n"
        "try:\n    print('here', flush=True)\n    time.sleep(30)\nexcept BaseException: pass\ntime.sleep(30)"
    )
    assert ended(code, seqtrans_environment(), signal.SIGINT) == (130, b"")


def test_what_fails_because_it_was_interrupted_is_no_failure() -> None:
    code = (
        "import os, signal\nfrom seqtrans.cli import app\n"
        "def run():\n    try: os.kill(os.getpid(), signal.SIGTERM)\n"
        "    finally: raise RuntimeError('cannot release un-acquired lock')\n"
        "app._run = run\napp.main()"
    )
    assert ended_by_itself(code) == (143, b"", b"")


def test_ctrl_c_while_an_error_is_told_is_no_traceback() -> None:
    code = (
        "import os, signal\nfrom seqtrans.cli import app\n"
        "def run(): raise OSError(5, 'broken')\n"
        "def told(message): os.kill(os.getpid(), signal.SIGINT)\n"
        "app._run, app.write_message = run, told\napp.main()"
    )
    assert ended_by_itself(code) == (130, b"", b"")


def ended_by_itself(code: str) -> tuple[int, bytes, bytes]:
    """The exit code and the output of a Python that sends a signal to itself."""
    run = subprocess.run([sys.executable, "-c", code], env=seqtrans_environment(), capture_output=True, timeout=60)
    return run.returncode, run.stdout, run.stderr


def ended(code: str, environment: dict[str, str], number: signal.Signals) -> tuple[int, bytes]:
    """The exit code and standard error of a Python that gets a signal once it has printed a line."""
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        time.sleep(0.1)
        process.send_signal(number)
        _, told = process.communicate(timeout=20)
    return process.returncode, told


def receives_signals(process: subprocess.Popen[bytes]) -> bool:
    """Whether our first line has run: nothing before it, in Python's start, catches SIGHUP."""
    (caught,) = re.findall(r"^SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text("utf-8"), re.MULTILINE)
    return bool(int(caught, 16) >> (signal.SIGHUP - 1) & 1)


@pytest.mark.parametrize("seconds", [0, 0.5])
def test_ctrl_c_from_our_first_line_on_is_130(seconds: float, tiny_model: Path) -> None:
    process = subprocess.Popen(
        seqtrans_command("translate", "-m", tiny_model), env=seqtrans_environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not receives_signals(process):
        time.sleep(0.005)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told == b""


@contextmanager
def translating(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has answered its first line."""
    process = subprocess.Popen(
        command, env=seqtrans_environment(), cwd=folder,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert answer(process, b"one\n") == b"eins\n"
    yield process


def answer(process: subprocess.Popen[bytes], line: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    process.stdin.flush()
    return process.stdout.readline()


def test_nohup_keeps_a_command_running(tiny_model: Path, tmp_path: Path, warm_process: WarmProcess) -> None:
    with translating(["nohup", *warm_process.words("translate", "-m", tiny_model)], tmp_path) as process:
        process.send_signal(signal.SIGHUP)
        assert answer(process, b"two\n") == b"zwei\n"
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_closed_terminal_ends_a_filter_with_129(tiny_model: Path, tmp_path: Path, warm_process: WarmProcess) -> None:
    with translating(warm_process.words("translate", "-m", tiny_model), tmp_path) as process:
        process.send_signal(signal.SIGHUP)
        process.wait(timeout=30)  # before its input ends, which may end it too
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (129, b"")
