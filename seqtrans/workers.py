"""Chunks of lines answered one after the other, here or by several processes at once, in the order of the chunks.

Processes are forked from this one, so that they share its model and start at once. For that nothing in it may have
run on several threads before.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import torch

from seqtrans.errors import SeqtransError, UsageError

_AHEAD = 2
"""Chunks that are read for each process before it asks for them."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Answered:
    """What is to be written for the lines of a chunk."""

    lines: list[bytes]
    unread: list[int]
    """Numbers, from 1, of lines of which a part only was read."""
    unmet: list[int]
    """The same of lines whose translation does not hold all that is required."""
    unsaid: list[int]
    """The same of lines that have no translation."""
    unproven: int = 0
    """Lines whose translation could not be proven to be the best, where that was asked for."""
    reports: bytes = b""
    """What the searches did, where that is to be told."""


Answer = Callable[[list[str], int], Answered]
"""From lines and the number, from 0, of the first."""


def check_processes(processes: int, device: torch.device) -> None:
    """Refuse what cannot be.

    Raises:
        UsageError: several processes on a GPU, or where they cannot be forked.
    """
    if processes > 1 and device.type != "cpu":
        raise UsageError("--processes shares the processor out: add --device cpu, or leave it out")
    if processes > 1 and sys.platform != "linux":
        raise UsageError("--processes needs Linux; leave it out here")


def answers(answer: Answer, chunks: Iterable[list[str]], processes: int, threads: int) -> Iterator[Answered]:
    """The answer to each chunk; with several processes each has so many `threads` (0: its share of the processors).

    Raises:
        SeqtransError: a process ended before its work.
    """
    if processes == 1:
        number = 0
        for chunk in chunks:
            yield answer(chunk, number)
            number += len(chunk)
        return
    global _answer  # which the processes inherit
    _answer = answer
    share = threads or max(1, len(os.sched_getaffinity(0)) // processes)
    fork = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(processes, fork, _begin, (os.getpid(), share))
    try:
        pool.submit(os.getpid).result()  # forks them all, before a thread reads
        yield from _in_order(pool, chunks, _AHEAD * processes)
    except BrokenProcessPool:
        raise SeqtransError("a process ended before its work was done: out of memory?") from None
    except BaseException:
        for process in multiprocessing.active_children():  # what they are at is of no use
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_answer: Answer | None = None


def _begin(parent: int, threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent sees to an interruption
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    torch.set_num_threads(threads)


def _work(chunk: list[str], number: int) -> Answered:
    assert _answer is not None
    return _answer(chunk, number)


def _in_order(pool: ProcessPoolExecutor, chunks: Iterable[list[str]], ahead: int) -> Iterator[Answered]:
    """A thread hands chunks out; so what is answered can be written while the next line is still to come."""
    pending: queue.Queue[Future[Answered] | BaseException | None] = queue.Queue(ahead)

    def hand_out() -> None:
        number = 0
        try:
            for chunk in chunks:
                pending.put(pool.submit(_work, chunk, number))
                number += len(chunk)
            pending.put(None)
        except BaseException as error:  # whatever it is, the caller must learn of it
            pending.put(error)

    threading.Thread(target=hand_out, name="chunks", daemon=True).start()
    while (found := pending.get()) is not None:
        if isinstance(found, BaseException):
            raise found
        yield found.result()
