"""A meter for tokens a second that stops while something else is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Meter:
    """Tokens a second since it was last asked; evaluating and saving do not count."""

    def __init__(self, tokens_per_step: int) -> None:
        self.tokens_per_step = tokens_per_step
        self.start = self.mark = time.perf_counter()
        self.steps = 0

    @property
    def seconds(self) -> float:
        """Seconds since training began, everything included."""
        return time.perf_counter() - self.start

    def count(self) -> None:
        """Note that one step was taken."""
        self.steps += 1

    def tokens_per_second(self) -> float:
        """Return the rate since the last call."""
        now = time.perf_counter()
        rate = self.steps * self.tokens_per_step / max(now - self.mark, 1e-9)
        self.mark, self.steps = now, 0
        return rate

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Give a block whose time does not count."""
        began = time.perf_counter()
        yield
        self.mark += time.perf_counter() - began
