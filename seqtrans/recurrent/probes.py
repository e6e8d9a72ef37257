"""Whether the installed torch has what a fast path needs.

Some fast paths use functions of torch that are private or experimental. Another version may lack one, or change it;
then a slower path computes the same.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

import torch

Probe = Callable[[], bool]

logger = logging.getLogger(__name__)


def probe(what: str, instead: str) -> Callable[[Probe], Probe]:
    """Decorator for a trial of a fast path: the trial runs once per process, and later calls return its answer.

    The trial runs in full precision and without gradients, and returns whether its results are right. If they are
    wrong, or it raises anything, the answer is False, and a warning says that this torch lacks `what`, and what
    happens `instead`.
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
