"""Map a function over a stream with several processes: in order, with flat memory.

Why not ``multiprocessing``? Forking a process in which torch has started threads may hang, and spawning
runs the reader's script again from the top. Here a worker is a fresh Python that is sent the function and
then one item after another through a pipe; it ends by itself when the pipe closes, even after ``kill -9``.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, TypeVar

from bertlib.errors import BertlibError

T = TypeVar("T")
R = TypeVar("R")

_WAITING = 2  # items read ahead for each worker: enough to keep them busy, few enough for flat memory
_SERVE = "from bertlib.data.workers import serve; serve()"


def usable_cores() -> int:
    """Return the number of processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_order(function: Callable[[T], R], items: Iterable[T], *, workers: int) -> Generator[R, None, None]:
    """Yield ``function(item)`` for each item, in the order of the items.

    Args:
        function: must be picklable if there are several workers.
        items: read only a few ahead of the results.
        workers: processes; 1 computes here.

    Raises:
        BertlibError: a worker died; and whatever the function raises.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    packed = pickle.dumps(function, protocol=pickle.HIGHEST_PROTOCOL)
    team = [_Worker(packed) for _ in range(workers)]
    for worker in team:
        idle.put(worker)

    def compute(item: T) -> R:
        worker = idle.get()
        try:
            return worker.compute(item)
        finally:
            idle.put(worker)

    threads = ThreadPoolExecutor(workers)
    pending: deque[Future[R]] = deque()
    try:
        for item in items:
            pending.append(threads.submit(compute, item))
            if len(pending) > _WAITING * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for worker in team:
            worker.stop()
        threads.shutdown(cancel_futures=True)


class _Worker:
    """One process that knows one (pickled) function, and the two pipes to it."""

    def __init__(self, function: bytes) -> None:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "OMP_NUM_THREADS": "1",  # the cores are shared out among the workers already
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._send(function)

    def compute(self, item: Any) -> Any:
        self._send(pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL))
        try:
            succeeded, value = pickle.load(self._process.stdout)  # type: ignore[arg-type]
        except (EOFError, pickle.UnpicklingError):
            raise self._death() from None
        if succeeded:
            return value
        raise value

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _send(self, message: bytes) -> None:
        try:
            self._process.stdin.write(message)  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except OSError:
            raise self._death() from None

    def _death(self) -> BertlibError:
        return BertlibError(
            f"a worker process ended with code {self._process.wait()} (-9: often too little memory); "
            "run again, it goes on where it stopped; with fewer workers if it happens again"
        )


def serve() -> None:
    """Be a worker: read a function, then items, from standard input; write the results to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then stops its workers
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not get among the answers
    with contextlib.suppress(EOFError, BrokenPipeError, pickle.UnpicklingError):
        function = pickle.load(requests)
        while True:
            _answer(function, pickle.load(requests), answers)


def _answer(function: Callable[[Any], Any], item: Any, answers: BinaryIO) -> None:
    try:
        answer = (True, function(item))
    except Exception as error:
        answer = (False, error)
    pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
    answers.flush()
