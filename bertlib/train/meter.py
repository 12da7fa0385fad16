"""A meter for tokens a second, and what share of the machine that is; it stops while something else is done.

How the trainer uses it::

    work = Work(model.config, length=128, selected=0.15, device=device, precision="bf16", devices=1)
    meter = Meter(tokens_per_step, work=work)
    ...
    speed = meter.tokens_per_second()
    share = meter.share_of_peak(speed)  # 0.42, or None without ``work``
    f"{meter.share_name} {share:.0%}"  # "mfu 42%" on a GPU, "share of peak 42%" elsewhere

Call :meth:`Meter.share_of_peak` inside ``matmul_precision(...)``: what a machine can do depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from bertlib.config import BertConfig
from bertlib.peak import mfu


@dataclass(frozen=True)
class Work:
    """What a token costs and where it is computed."""

    config: BertConfig
    length: int  # positions a text
    selected: float  # share of positions whose words are predicted
    device: torch.device
    precision: str = "fp32"  # or bf16
    devices: int = 1  # of this kind, together


class Meter:
    """Tokens a second since it was last asked; evaluating and saving do not count.

    Args:
        tokens_per_step: positions a step, over all processes.
        work: what a token costs; None: no share of the peak is known.
    """

    def __init__(self, tokens_per_step: int, *, work: Work | None = None) -> None:
        self.tokens_per_step, self.work = tokens_per_step, work
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

    @property
    def share_name(self) -> str:
        """What the share is called: "mfu" on GPUs, where the data sheet states the peak."""
        return "mfu" if self.work and self.work.device.type == "cuda" else "share of peak"

    def share_of_peak(self, tokens_per_second: float) -> float | None:
        """Return which part of the possible arithmetic a rate is, 0 to 1; None without ``work``.

        The first call on a CPU or an unknown GPU measures the peak, about 0.2 s that do not count. It
        draws no random numbers.
        """
        work = self.work
        if work is None:
            return None
        with self.paused():
            return mfu(
                tokens_per_second, work.config, length=work.length, selected=work.selected,
                device=work.device, precision=work.precision, devices=work.devices,
            )  # fmt: skip

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Give a block whose time does not count."""
        began = time.perf_counter()
        yield
        self.mark += time.perf_counter() - began
