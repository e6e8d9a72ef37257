"""Where arithmetic happens, and in what precision.

Weights are kept in float32. Products may run in bfloat16, which keeps float32's range with fewer digits. It is faster
only with hardware support, so `auto` asks the hardware.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from seqtrans.errors import UsageError

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


TRAINING_PRECISIONS = ("auto", "fp32", "bf16")
"""The values of `--precision` that every command takes."""
SEARCH_PRECISIONS = (*TRAINING_PRECISIONS, "int8")
"""The values of `--precision` that translation takes, which needs no gradients."""


@dataclass(frozen=True)
class Compute:
    """A device and the precision of its products."""

    device: torch.device
    dtype: torch.dtype
    reason: str
    """Why this precision, for the user."""
    int8: bool = False
    """Whether products with parameters use 8-bit integers."""

    def arithmetic(self) -> AbstractContextManager[object]:
        """A context in which products run in this precision."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def describe(self) -> str:
        """One phrase: device, threads and precision."""
        threads = f", {torch.get_num_threads()} threads" if self.device.type == "cpu" else ""
        return f"{self.device}{threads}, {str(self.dtype).removeprefix('torch.')} ({self.reason})"


def choose_compute(
    device: str = "auto", precision: str = "auto", threads: int = 0, *, precisions: Sequence[str] = TRAINING_PRECISIONS
) -> Compute:
    """Resolve the flags of the same names. 0 threads: torch's default, all cores.

    Raises:
        UsageError: an unknown name, or a device that is not there.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"--device must be auto, cpu or cuda, not '{device}'")
    if precision not in precisions:
        raise UsageError(f"--precision must be {', '.join(precisions[:-1])} or {precisions[-1]}, not '{precision}'")
    if threads < 0:
        raise UsageError(f"--threads must be at least 1, or 0 for all processors, not {threads}")
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise UsageError("--device cuda: torch finds no CUDA device here; use --device cpu")
    if threads:
        torch.set_num_threads(threads)
    place = torch.device("cuda" if cuda and device != "cpu" else "cpu")
    if place.type == "cpu":
        _keep_freed_memory()
    if precision == "fp32":
        return Compute(place, torch.float32, "as asked")
    if precision == "int8":
        if place.type != "cpu":
            raise UsageError("--precision int8 is for the processor: add --device cpu")
        return Compute(place, torch.float32, "products in int8, as asked", int8=True)
    if precision == "bf16":
        return Compute(place, torch.bfloat16, "as asked")
    found = _hardware_with_bf16(place)
    return Compute(place, torch.bfloat16 if found else torch.float32, found or "no bf16 hardware found")


def _keep_freed_memory() -> None:
    """Have the C library keep freed memory for the next update, which allocates the same again.

    Otherwise a training spends up to a sixth of its time on returning pages to the system and getting them again.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc has it
    if tune is not None:
        tune(_M_MMAP_THRESHOLD, 32 << 20)
        tune(_M_TRIM_THRESHOLD, 2**31 - 1)


def _hardware_with_bf16(device: torch.device) -> str:
    """The unit that multiplies bfloat16 on this device, or nothing."""
    if device.type == "cuda":
        return "tensor cores" if torch.cuda.is_bf16_supported(including_emulation=False) else ""
    # these functions are private, and not every version of torch has them
    for unit, probe in (("AMX", "_is_amx_tile_supported"), ("AVX512-BF16", "_is_avx512_bf16_supported")):
        supported = getattr(torch.cpu, probe, None)
        if supported is not None and supported():
            return unit
    return ""
