"""Stop a reader's function that never comes back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

PATIENCE = 30.0  # seconds; a right answer takes milliseconds


class TooLongError(BaseException):
    """Raised inside the function; not an ``Exception``, so that no ``except`` of the reader's catches it."""


@contextmanager
def patience(seconds: float = PATIENCE) -> Iterator[None]:
    """Raise :class:`TooLongError` inside the block when it takes longer.

    It needs Unix and the main thread, as in a notebook's kernel; elsewhere nothing is limited.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(signum: int, frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
