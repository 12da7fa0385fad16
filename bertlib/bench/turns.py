"""Several sides take turns in one process, so that whatever else the machine does strikes all of them alike.

A *side* is a function that does its work once. A *turn* calls it a fixed number of times; in a *round* every
side has its turn. What is quoted is the median over the rounds of the ratio of two turns of one round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

import psutil
import torch

Side = Callable[[], object]

DISTURBED = 0.1  # a round counts less if other processes took more of the machine than this


class Ratio(NamedTuple):
    """How many times as fast as another side, over the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:5.2f} ({self.low:.2f}-{self.high:.2f})"


@dataclass(kw_only=True)
class Turns:
    """Times of all turns. Call :meth:`round` as often as wished.

    Args:
        sides: what each does once.
        calls: how often a side is called in a turn.
        device: waited for at the end of a turn, since a GPU answers before it has computed.
    """

    sides: Mapping[str, Side]
    calls: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    seconds: dict[str, list[float]] = field(default_factory=dict)
    foreign: list[float] = field(default_factory=list)  # share of the machine that others took, by round
    _since: tuple[float, float] | None = None

    def round(self) -> None:
        """Let every side have its turn."""
        since = self._since or _processor_times()
        for name, side in self.sides.items():
            self.add(name, self.timed(side))
        now = _processor_times()
        self.foreign.append(_foreign_share(since, now))
        self._since = now  # whatever happens between rounds, such as a Trainer's turn, is watched too

    def timed(self, side: Side) -> float:
        """Return the seconds of one turn."""
        began = time.perf_counter()
        for _ in range(self.calls):
            side()
        finish(self.device)
        return time.perf_counter() - began

    def add(self, name: str, seconds: float) -> None:
        """Note a turn; for a side that keeps its own time."""
        self.seconds.setdefault(name, []).append(seconds)

    @property
    def quiet(self) -> list[int]:
        """Rounds in which others left the machine alone; all of them if these are fewer than half."""
        found = [i for i, share in enumerate(self.foreign) if share <= DISTURBED]
        return found if 2 * len(found) >= len(self.foreign) else list(range(len(self.foreign)))

    @property
    def dropped(self) -> int:
        """Rounds that do not count."""
        return len(self.foreign) - len(self.quiet)

    def typical(self, name: str) -> float:
        """Return the median seconds of one call of a side."""
        return median(self.seconds[name][i] for i in self.quiet) / self.calls

    def ratio(self, name: str, other: str) -> Ratio:
        """Return how many times as fast as ``other`` a side is: median, lowest, highest round."""
        pairs = [self.seconds[other][i] / self.seconds[name][i] for i in self.quiet]
        return Ratio(median(pairs), min(pairs), max(pairs))

    def load_line(self) -> str:
        """Say how quiet the machine was."""
        kept = [self.foreign[i] for i in self.quiet]
        line = f"{len(kept)} rounds; other processes took {median(kept):.0%} of the processors"
        return line + (f" (and {self.dropped} disturbed rounds left out)" if self.dropped else "")


def why(error: Exception) -> str:
    """Say in one line why something could not be measured."""
    return (str(error).strip() or repr(error)).splitlines()[0]


def finish(device: torch.device) -> None:
    """Wait until the device has computed everything."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _processor_times() -> tuple[float, float]:
    """Return processor seconds that passed on the whole machine, and those that others took of them."""
    machine, own = psutil.cpu_times(), psutil.Process().cpu_times()
    idle = machine.idle + getattr(machine, "iowait", 0.0)
    passed = machine.user + machine.system + getattr(machine, "nice", 0.0) + idle
    mine = own.user + own.system + own.children_user + own.children_system
    return passed, passed - idle - mine


def _foreign_share(before: tuple[float, float], after: tuple[float, float]) -> float:
    """Return what others took of the machine, 0 to 1."""
    passed, taken = after[0] - before[0], after[1] - before[1]
    return max(0.0, taken / passed) if passed > 0.2 else 0.0  # the clocks tick in hundredths of a second
