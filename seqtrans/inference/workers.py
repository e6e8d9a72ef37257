"""Chunks of lines processed in this process, or in several at once. The results keep the order of the chunks.

The processes are forked from this one, so that they share its model in memory and start at once. A fork copies only the
thread that calls it. So torch must not have computed with several threads in this process before.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextvars import ContextVar
from typing import Any, TypeVar

import torch

from seqtrans.errors import SeqtransError, UsageError
from seqtrans.io.handover import Handover

_CHUNKS_AHEAD = 2
"""Chunks per process that are read in advance."""
_PR_SET_PDEATHSIG = 1
"""The operation of Linux's prctl that sets the signal a process gets when its parent dies."""

Result = TypeVar("Result")
Work = Callable[[list[str], int], Result]
"""A function from lines and the number, from 0, of the first of them to a result."""


def check_processes(processes: int, device: torch.device) -> None:
    """Make sure that several processes can be used.

    Raises:
        UsageError: several processes are wanted on a GPU, or on a system other than Linux.
    """
    if processes > 1 and device.type != "cpu":
        raise UsageError("--processes divides the processor's cores: add --device cpu, or leave it out")
    if processes > 1 and sys.platform != "linux":
        raise UsageError("--processes needs Linux; leave it out here")


def in_processes(work: Work[Result], chunks: Iterable[list[str]], processes: int, threads: int) -> Iterator[Result]:
    """The result of `work` for each chunk, in order.

    Each of several processes computes with `threads` threads (0: its share of the processors).

    Raises:
        SeqtransError: a process died, for example because memory ran out.
    """
    if processes == 1:
        number = 0
        for chunk in chunks:
            yield work(chunk, number)
            number += len(chunk)
        return
    share = threads or max(1, len(os.sched_getaffinity(0)) // processes)
    fork = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(processes, fork, _start, (os.getpid(), share, work))
    try:
        pool.submit(os.getpid).result()  # forks all processes, before the reading thread starts
        yield from _in_order(pool, chunks, _CHUNKS_AHEAD * processes)
    except BrokenProcessPool:
        raise SeqtransError("a process ended before its work was done: out of memory?") from None
    except BaseException:
        for process in multiprocessing.active_children():  # their results are no longer needed
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_WORK: ContextVar[Work[Any]] = ContextVar("work")
"""The work of a forked process, set once before its first chunk; never set in the parent."""


def _start(parent: int, threads: int, work: Work[Any]) -> None:
    """Set up a process of the pool. Because it is forked, `work` arrives without pickling."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the parent handles an interruption
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    torch.set_num_threads(threads)
    _WORK.set(work)


def _run(chunk: list[str], number: int) -> Any:
    return _WORK.get()(chunk, number)


def _in_order(pool: ProcessPoolExecutor, chunks: Iterable[list[str]], ahead: int) -> Iterator[Any]:
    """The results in the order of the chunks.

    A thread reads and submits chunks, so that a result can be written while the next line has not yet arrived. `ahead`
    limits the number of chunks whose results have not been taken.
    """
    submitted: Handover[Handover[Future[Any]] | BaseException | None] = Handover()
    places: Handover[None] = Handover()
    for _ in range(ahead):
        places.put(None)

    def submit() -> None:
        number = 0
        try:
            for chunk in chunks:
                places.take()
                done: Handover[Future[Any]] = Handover()
                pool.submit(_run, chunk, number).add_done_callback(done.put)
                submitted.put(done)
                number += len(chunk)
            submitted.put(None)
        except BaseException as error:  # the main thread raises it again
            submitted.put(error)

    threading.Thread(target=submit, name="chunks", daemon=True).start()
    while (item := submitted.take()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item.take().result()
        places.put(None)
