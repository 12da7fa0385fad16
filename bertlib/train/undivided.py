"""Ctrl-C between two steps, never within one.

A step that is half taken, some weights changed and others not yet, could neither be taken back nor taken
again; a notebook that went on after it would learn something else, and nobody would know.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def undivided() -> Iterator[None]:
    """Let Ctrl-C wait until the block is through; pressed a second time it does not wait.

    Raises:
        KeyboardInterrupt: at the end of the block, or whatever else Ctrl-C does here.
    """
    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread only
        yield
        return
    waiting = False

    def wait(number: int, frame: FrameType | None) -> None:
        nonlocal waiting
        if waiting and callable(before):
            before(number, frame)
        waiting = True

    before = signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
        if waiting:  # also of a step that failed, or it would be taken again
            signal.raise_signal(signal.SIGINT)
