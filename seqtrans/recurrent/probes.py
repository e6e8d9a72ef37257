"""Whether the installed torch has what a fast path needs.

Some fast paths use functions of torch that are private or experimental. Another version may lack one, or change it;
then the same is computed in a slower way.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

import torch

Probe = Callable[[], bool]

logger = logging.getLogger(__name__)


def probe(what: str, instead: str) -> Callable[[Probe], Probe]:
    """Make a trial of a fast path a question that is answered once in a process.

    A trial computes in full precision and without gradients, tells whether its results are right, and may fail in
    any way. If it does, a warning says that this torch does not have `what`, and what is done `instead`.
    """

    def decorate(trial: Probe) -> Probe:
        @functools.cache
        @functools.wraps(trial)
        def answer() -> bool:
            try:
                with torch.autocast("cpu", enabled=False), torch.no_grad():
                    if trial():
                        return True
                reason = "wrong results"
            except Exception as error:  # whatever a changed function does
                reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            logger.warning("this version of torch lacks %s (%.200s): %s", what, reason, instead)
            return False

        return answer

    return decorate
