"""Signals: the first asks, the second insists."""

from __future__ import annotations

import os
import signal

import pytest

from seqtrans.training.signals import StopRequest

signals = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@signals
def test_the_first_signal_asks_and_the_second_ends(number: signal.Signals) -> None:
    stop = StopRequest()
    assert not stop
    with stop.listening():
        os.kill(os.getpid(), number)
        assert stop
        assert stop.signal is number
        with pytest.raises(SystemExit) as caught:
            os.kill(os.getpid(), number)
        assert caught.value.code == 128 + number


def test_the_second_signal_may_be_another(recwarn: pytest.WarningsRecorder) -> None:
    stop = StopRequest()
    with stop.listening():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(SystemExit) as caught:
            os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.code == 143
    assert stop.signal is signal.SIGINT
    assert not recwarn.list


@signals
def test_handlers_are_given_back_also_after_a_failure(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def fail() -> None:
        with StopRequest().listening():
            assert signal.getsignal(number) != before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert signal.getsignal(number) == before
