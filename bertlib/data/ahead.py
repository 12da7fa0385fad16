"""What comes next is made while somebody works with what is there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """A function of whole numbers that is asked for 0, 1, 2 ...: a thread makes the next answer meanwhile.

    While the processor cuts an epoch's text into pairs, a GPU would wait.

    Args:
        make: depends on its argument alone.
    """

    def __init__(self, make: Callable[[int], T]) -> None:
        self.make, self._thread = make, ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._made: dict[int, Future[T]] = {}

    def __call__(self, number: int) -> T:
        """Return ``make(number)``, and have ``make(number + 1)`` begun."""
        wanted = (number, number + 1)
        self._made = {n: self._made.get(n) or self._thread.submit(self.make, n) for n in wanted}
        return self._made[number].result()
