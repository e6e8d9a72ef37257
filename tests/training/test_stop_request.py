"""Signals: the first asks for an orderly end, the second has its usual effect."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from seqtrans.training.signals import StopRequest
from tests.conftest import seqtrans_environment

signals = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Handlers as the command line has them."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    yield
    signal.signal(signal.SIGTERM, before)


@signals
def test_the_first_signal_asks_and_the_second_has_its_usual_effect(number: signal.Signals) -> None:
    stop = StopRequest()
    assert stop.signal is None
    usual = KeyboardInterrupt if number is signal.SIGINT else SystemExit
    with stop.listening():
        os.kill(os.getpid(), number)
        assert stop.signal is number
        with pytest.raises(usual):
            os.kill(os.getpid(), number)


def test_the_second_signal_may_be_another() -> None:
    stop = StopRequest()
    with stop.listening():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(SystemExit) as caught:
            os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.code == 143
    assert stop.signal is signal.SIGINT


@signals
@pytest.mark.parametrize("before", ["SIG_DFL", "SIG_IGN"])
def test_without_a_handler_before_the_second_signal_ends_the_process(number: signal.Signals, before: str) -> None:
    """A signal that is ignored stays so, as SIGINT is in what a script has started in the background."""
    code = (
        "import os, signal, sys; from seqtrans.training.signals import StopRequest\n"
        f"signal.signal({int(number)}, signal.{before})\n"
        f"with StopRequest().listening():\n  os.kill(os.getpid(), {int(number)})\n  print('once', flush=True)\n"
        f"  os.kill(os.getpid(), {int(number)})\n  print('twice', flush=True)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, env=seqtrans_environment(), timeout=60)
    expected = (-number, b"once\n") if before == "SIG_DFL" else (0, b"once\ntwice\n")
    assert (run.returncode, run.stdout) == expected


@signals
def test_handlers_are_restored_also_after_a_failure(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def fail() -> None:
        with StopRequest().listening():
            assert signal.getsignal(number) != before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert signal.getsignal(number) == before


def test_another_thread_leaves_signals_alone() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    inside: list[object] = []

    def listen() -> None:
        with StopRequest().listening():
            inside.extend(signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert inside == before
