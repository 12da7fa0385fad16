"""When one of several processes dies: the others stop, and say which one it was.

What there is already: ``torchrun`` (and so ``accelerate launch``) sees within a tenth of a second that one
of its processes has ended and stops the rest, first politely (SIGTERM), after half a minute by force. Over
gloo the connection breaks at once; over NCCL, processes on other machines wait for their group's timeout.
What is missing is a line that a reader understands, before pages of tracebacks.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import torch.distributed as dist

from bertlib.errors import TrainingError

# For one exchange while training: longer than the slowest evaluation or last save.
PATIENCE_IN_TRAINING = timedelta(minutes=10)

_BROKEN = ("onnection closed by peer", "onnection reset", "roken pipe", "imed out")  # as gloo words it


class Peer(NamedTuple):
    """One of the processes."""

    number: int
    host: str
    pid: int


@contextlib.contextmanager
def peers_watched(*, remedy: str) -> Iterator[None]:
    """Turn the end of another process into one clear error; does nothing for a process that is alone.

    Args:
        remedy: what to do about it, the end of the line.

    Raises:
        TrainingError: names the processes of this machine that are gone; where a connection broke and all
            of them are there, the other machines, whose processes nobody can see from here.
    """
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        yield
        return
    me = Peer(dist.get_rank(), os.uname().nodename, os.getpid())
    peers: list[Peer | None] = [None] * dist.get_world_size()
    dist.all_gather_object(peers, me)
    others = [peer for peer in peers if peer is not None and peer != me]
    with contextlib.suppress(AttributeError):  # it is not for everybody in PyTorch yet
        dist.distributed_c10d._set_pg_timeout(PATIENCE_IN_TRAINING)

    def stopped(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one line is enough
        raise TrainingError(_obituary(others, me, remedy, wait=0.5) or f"stopped by SIGTERM; {remedy}")

    try:
        before = signal.signal(signal.SIGTERM, stopped)
    except ValueError:  # not the main thread
        before = None
    try:
        yield
    except RuntimeError as error:
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        line = _obituary(others, me, remedy, wait=3.0) or _suspicion(error, others, me, remedy)
        if line is None:
            raise
        before = signal.SIG_IGN  # we are about to stop; torchrun's SIGTERM must not come before our line
        raise TrainingError(line) from error
    finally:
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _obituary(others: list[Peer], me: Peer, remedy: str, *, wait: float) -> str | None:
    """Name those that are gone, after up to ``wait`` seconds; None if all that we can see are there."""
    end = time.monotonic() + wait
    near = [peer for peer in others if peer.host == me.host]
    while not (gone := [peer for peer in near if not alive(peer.pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    if not gone:
        return None
    names = " and ".join(f"{peer.number} (pid {peer.pid})" for peer in gone)
    return f"process {names} has died, process {me.number} stops; {remedy}"


def _suspicion(error: RuntimeError, others: list[Peer], me: Peer, remedy: str) -> str | None:
    """Name the other machines if a connection broke; None for any other error."""
    hosts = sorted({peer.host for peer in others} - {me.host})
    if not hosts or not (isinstance(error, dist.DistError) or any(word in str(error) for word in _BROKEN)):
        return None
    where = " or ".join(hosts)
    return f"process {me.number} has lost a process of another machine ({where}) and stops; {remedy}"


def alive(pid: int) -> bool:
    """Tell whether a process of this machine runs; one that is dead but not yet buried does not."""
    stat = Path("/proc") / str(pid) / "stat"
    if Path("/proc/self/stat").exists():
        try:
            return stat.read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
