"""A meter for tokens a second, and what share of the machine that is; it stops while something else is done.

How the trainer uses it::

    meter = Meter.of_run(model.config, batches.config, device, "bf16", devices=1)
    ...
    meter.count()  # after each step
    words, numbers = meter.reading()  # "1,200 tokens/s, mfu 42%"; on a CPU it says "share of peak"

Call :meth:`Meter.reading` inside ``matmul_precision(...)``: what a machine can do depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from bertlib.config import BertConfig
from bertlib.data.batch_config import BatchConfig
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

    @classmethod
    def of_run(
        cls, config: BertConfig, shape: BatchConfig, device: torch.device, precision: str, devices: int
    ) -> Meter:
        """Return the meter of a pre-training run; the arguments are those of :class:`Work`."""
        work = Work(config, shape.max_length, shape.asked_share, device, precision, devices)
        return cls(shape.batch_size * shape.max_length, work=work)

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

    def reading(self) -> tuple[str, dict[str, float]]:
        """Return the rate since it was last asked: in words for a progress bar, in numbers for a log."""
        speed = self.tokens_per_second()
        share = self.share_of_peak(speed) or 0.0
        numbers = {
            "tokens_per_s": round(speed),
            "seconds": round(self.seconds, 3),
            self.share_name.replace(" ", "_"): round(share, 4),
        }
        return f"{speed:,.0f} tokens/s, {self.share_name} {share:.0%}", numbers

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Give a block whose time does not count."""
        began = time.perf_counter()
        yield
        self.mark += time.perf_counter() - began
