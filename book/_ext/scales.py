"""Round numbers for an axis, and shares of a width."""

from __future__ import annotations

import math


def ticks(highest: float, lowest: float = 0.0, *, most: int = 5) -> list[float]:
    """Return round numbers from ``lowest`` to ``highest``, no more than ``most`` steps apart.

    Example:
        >>> ticks(3.3), ticks(9.0, most=3)
        ([0.0, 1.0, 2.0, 3.0], [0.0, 5.0])
    """
    wide = highest - lowest
    size = 10.0 ** math.floor(math.log10(wide))
    step = next(s for s in (size / 10 * m for m in (1, 2, 5, 10, 20, 50)) if wide / s <= most)
    first, last = math.ceil(lowest / step - 1e-9), math.floor(highest / step + 1e-9)
    return [round(step * count, 10) for count in range(first, last + 1)]


def percent(share: float) -> str:
    """Write a share of the width."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"
