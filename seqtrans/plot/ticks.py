"""Axes with round ticks, linear and logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = 6
"""The steps between ticks are made large enough that this many of them cover all values."""
HUGE, _TINY = 1e300, 1e-200
"""With values above `HUGE` or a range below `_TINY`, the arithmetic of the ticks would overflow or underflow."""


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, with (place, label) of each tick; on a logarithmic axis all places are exponents of 10."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]

    def share(self, value: float) -> float:
        """How far along the axis a value is: 0 at its low end, 1 at its high end."""
        return (value - self.low) / (self.high - self.low)


def linear(values: Sequence[float]) -> Axis:
    """Ticks at multiples of 1, 2 or 5 times a power of ten; all values lie between the first and the last tick."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    size = max(abs(low), abs(high))
    if high - low <= max(1e-9 * size, _TINY):  # a single value, or values too close for different labels
        around = size / 10 if size > _TINY else 1.0
        low, high = low - around, high + around
    exponent = math.floor(math.log10((high - low) / (_STEPS - 1)))
    factor = next(factor for factor in (1, 2, 5, 10) if factor * 10.0**exponent * _STEPS >= high - low)
    step = factor * 10.0**exponent
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = -exponent - (factor == 10)
    ticks = [(number * step, _number(number * step, decimals)) for number in range(first, last + 1)]
    return Axis(first * step, last * step, ticks)


def decades(exponents: Sequence[float]) -> Axis:
    """Ticks at powers of ten; if there are many, at every second, third, ... one of them."""
    low, high = math.floor(min(exponents, default=0.0)), math.ceil(max(exponents, default=1.0))
    high = max(high, low + 1)
    step = -(-(high - low) // 8)
    high = low + -(-(high - low) // step) * step
    return Axis(low, high, [(at, _power(at)) for at in range(low, high + 1, step)])


def _number(value: float, decimals: int) -> str:
    exact = abs(value) < 1e9 and decimals <= 6
    text = f"{value:,.{max(decimals, 0)}f}" if exact else f"{value:.12g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _power(exponent: int) -> str:
    if -4 <= exponent <= 6:
        return _number(10.0**exponent, -exponent)
    return f"1e{exponent}".replace("-", "\N{MINUS SIGN}")
