"""Pre-training of ours beside that of ``transformers``, taking turns in one process.

The quick comparison is of a step on one fixed batch. Two of our settings would help any model: the precision
of fp32 products, and memory that is kept (:mod:`bertlib.train.allocator`). So ours stands against
``transformers`` as it comes and against ``transformers`` with both; only the second ratio is about the
model's arithmetic alone. The full comparison adds ``transformers`` with our precision alone, and whole
trainers, with data and masking: ``transformers.Trainer`` as it comes and BertTrainer (see
:mod:`bertlib.bench.trainers`). All models start from the same weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from bertlib.bench.cell import Cell, Data
from bertlib.bench.steps import Step, our_step, their_step
from bertlib.bench.trainers import bert_trainer_step, run_transformers_trainer
from bertlib.bench.turns import Ratio, Turns, finish
from bertlib.data.batches import Batch
from bertlib.extras import need
from bertlib.flops import flops_per_token
from bertlib.peak import mfu
from bertlib.progress import progress_bar
from bertlib.train.precision import matmul_precision

TRAINER = "transformers Trainer"
THEIRS = "transformers"  # a plain loop around its model, its defaults
EAGER = "transformers, eager attention"
OUR_TRAINER = "bertlib BertTrainer"
KEPT = ", memory kept"  # ends the name of a side of theirs that keeps memory as all of ours do
WARM_UP = 2  # steps of the Trainer before the first round


@dataclass(frozen=True, kw_only=True)
class SideResult:
    """One side, measured."""

    tokens_per_s: float  # positions a second, median over the rounds
    ratios: dict[str, Ratio]  # how many times as fast as each side it is compared with
    mflop_per_token: float  # what it computes, forward and backward
    share_of_peak: float
    first_loss: float | None = None  # before any learning, near ln V + ln 2
    memory_mb: float | None = None  # growth, measured in a process of its own


@dataclass(frozen=True, kw_only=True)
class PretrainBench:
    """Medians over the rounds. Quote the ratios; the rates belong to this machine and moment."""

    cell: Cell
    threads: int
    filled: float  # share of positions that hold text, in packed batches
    machine: str  # how quiet it was
    sides: dict[str, SideResult]
    curves: dict[str, Any] = field(default_factory=dict)  # see bertlib.bench.curves

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON can hold them."""
        sides = {
            name: asdict(side) | {"ratios": {other: r._asdict() for other, r in side.ratios.items()}}
            for name, side in self.sides.items()
        }
        return asdict(self) | {"cell": self.cell.to_dict(), "sides": sides}

    def lines(self) -> list[str]:
        """Draw the comparison as a small table."""
        others = [name for name in self.sides if any(name in side.ratios for side in self.sides.values())]
        marks = {other: f" [{number}]" for number, other in enumerate(others, 1)}
        head = "".join(f"  {'times' + mark:<18}" for mark in marks.values())
        rows = [f"{'':46}{'tokens/s':>9}{'MFLOP/token':>12}{'of peak':>8}{'MB':>7}{head}".rstrip()]
        for name, side in self.sides.items():
            memory = "-" if side.memory_mb is None else f"{side.memory_mb:,.0f}"
            row = f"{name + marks.get(name, ''):46}{side.tokens_per_s:>9,.0f}{side.mflop_per_token:>12.1f}"
            row += f"{side.share_of_peak:>8.0%}{memory:>7}"
            row += "".join(f"  {side.ratios.get(other, '')!s:<18}" for other in others)
            rows.append(row.rstrip())
        v = self.cell.vocab_size
        firsts = [f"{side.first_loss:.3f}" for side in self.sides.values() if side.first_loss is not None]
        return [
            f"{self.cell}, medians of interleaved rounds",
            *rows,
            self.machine,
            f"first losses {', '.join(firsts)}; expected ln V + ln 2 = {math.log(v) + math.log(2):.3f}",
            f"packed: {self.filled:.1%} of all positions hold text, the rest is padding",
            *_curve_lines(self.curves),
        ]


def _curve_lines(curves: dict[str, Any]) -> list[str]:
    if not curves:
        return []
    lines = [f"same weights, same batches, no dropout: losses differ by {curves['largest_difference']:.1e}"]
    for name, values in curves["with dropout"].items():
        lines.append(
            f"with dropout, {name:13}" + " ".join(f"{v:.3f}" for v in values[:: len(values) // 8 or 1])
        )
    return lines


def fixed_batch_sides(cell: Cell, batch: Batch, *, full: bool) -> dict[str, Callable[[], Step]]:
    """Name the plain loops; each is made when it is called.

    Args:
        cell: the conditions.
        batch: what all of them learn.
        full: with eager attention, and ``transformers`` with our matmul precision alone.
    """
    ours = f"bertlib, matmul {cell.matmul}"
    sides: dict[str, Callable[[], Step]] = {THEIRS: lambda: their_step(cell, batch)}
    if full:
        sides[EAGER] = lambda: their_step(cell, batch, attention="eager")
        if cell.matmul != "highest":
            sides[same_matmul(cell)] = lambda: their_step(cell, batch, matmul=cell.matmul)
    sides[same_settings(cell)] = lambda: their_step(cell, batch, matmul=cell.matmul, keep=True)
    if cell.matmul != "highest":
        sides["bertlib, matmul highest"] = lambda: our_step(cell, batch, matmul="highest")
    return sides | {ours: lambda: our_step(cell, batch, matmul=cell.matmul)}


def same_matmul(cell: Cell) -> str:
    """Name ``transformers`` at our matmul precision."""
    return f"transformers, matmul {cell.matmul}"


def same_settings(cell: Cell) -> str:
    """Name ``transformers`` with all that would help any model: our matmul precision, memory kept."""
    return same_matmul(cell) + KEPT


def bench_pretraining(
    cell: Cell, *, rounds: int = 7, steps: int = 3, full: bool = False, progress: bool = False
) -> PretrainBench:
    """Measure ``rounds`` times ``steps`` optimiser steps of each side, in turn.

    Args:
        cell: model, texts, device.
        rounds: how often each side has its turn.
        steps: a turn.
        full: whole trainers and further settings too; see the module.
        progress: show a bar.

    Raises:
        MissingExtraError: ``transformers`` is not installed.
    """
    need("transformers", extra="bench")
    data = Data(cell)
    sides = {name: make() for name, make in fixed_batch_sides(cell, data.batch, full=full).items()}
    if full:
        sides[OUR_TRAINER] = bert_trainer_step(cell, data)
    first_losses = {name: float(step()) for name, step in sides.items()}
    turns = Turns(sides=sides, calls=steps, device=cell.torch_device)
    with progress_bar(
        total=rounds, unit="round", desc=f"{cell.preset} {cell.vocab_size}", disable=not progress
    ) as bar:
        if full:
            rounds_within_trainer(cell, data, turns, rounds, bar.update)
        else:
            for _ in range(rounds):
                turns.round()
                bar.update()
    return _summary(cell, data, turns, first_losses)


def rounds_within_trainer(
    cell: Cell,
    data: Data,
    turns: Turns,
    rounds: int,
    after: Callable[[], object] = lambda: None,
    *,
    name: str = TRAINER,
    workers: int = 0,
) -> None:
    """Let the others have their turns at the end of every so many steps of a running Trainer.

    Args:
        cell: the Trainer's model and batch; the others may have their own.
        data: its texts.
        turns: of the others; the Trainer's are noted there too.
        rounds: how often everybody has a turn.
        after: called after each round.
        name: by which the Trainer's turns are noted.
        workers: see :func:`run_transformers_trainer`.
    """
    began = 0.0

    def after_step(number: int) -> None:
        nonlocal began
        if number >= WARM_UP and (number - WARM_UP) % turns.calls == 0:
            finish(cell.torch_device)
            if number > WARM_UP:
                turns.add(name, time.perf_counter() - began)
                turns.round()
                after()
            began = time.perf_counter()

    steps = WARM_UP + rounds * turns.calls
    run_transformers_trainer(cell, data, steps=steps, after_step=after_step, workers=workers)


def _summary(cell: Cell, data: Data, turns: Turns, first_losses: dict[str, float]) -> PretrainBench:
    loop = same_matmul(cell) if same_matmul(cell) in turns.seconds else THEIRS
    others = [name for name in (TRAINER, loop, same_settings(cell)) if name in turns.seconds]
    order = sorted(turns.seconds, key=lambda name: (name.startswith("bertlib"), name != TRAINER))
    sides = {}
    for name in order:
        rate = cell.tokens / turns.typical(name)
        sides[name] = SideResult(
            tokens_per_s=rate,
            ratios={other: turns.ratio(name, other) for other in others if other != name},
            mflop_per_token=_work(cell, name) / 1e6,
            share_of_peak=share_of_peak(cell, name, rate),
            first_loss=first_losses.get(name),
        )
    return PretrainBench(
        cell=cell,
        threads=torch.get_num_threads(),
        filled=data.filled,
        machine=turns.load_line(),
        sides=sides,
    )


def _work(cell: Cell, name: str) -> float:
    """FLOPs per token of a side: theirs has the output layer and the last block everywhere."""
    share = 0.15 if name.startswith("bertlib") else 1.0
    return flops_per_token(cell.config, length=cell.max_length, selected=share)


def share_of_peak(cell: Cell, name: str, rate: float) -> float:
    """Share of what the machine can do at the side's own matmul precision."""
    own = name.removesuffix(KEPT).endswith(f"matmul {cell.matmul}") or name.startswith(OUR_TRAINER)
    with matmul_precision(cell.matmul if own else "highest"):
        share = 0.15 if name.startswith("bertlib") else 1.0
        return mfu(
            rate, cell.config, length=cell.max_length, selected=share, device=cell.device,
            precision=cell.precision,
        )  # fmt: skip
