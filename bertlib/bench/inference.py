"""The body alone, forward only: ours beside ``transformers``' BertModel with the same weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from bertlib.bench.cell import Cell
from bertlib.bench.turns import Ratio, Side, Turns, finish
from bertlib.extras import need
from bertlib.peak import mfu
from bertlib.progress import progress_bar
from bertlib.train.precision import autocast, matmul_precision

THEIRS = "transformers"
TURN_SECONDS = 0.1  # a turn lasts about this long at least

Forward = Callable[[], Tensor]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One batch shape: texts a second of each side, and how many times as fast as ``transformers``."""

    batch_size: int
    max_length: int
    texts_per_s: dict[str, float]
    ratios: dict[str, dict[str, Ratio]]  # ours, to each of theirs
    share_of_peak: dict[str, float]
    largest_difference: float  # of the vectors, both in fp32 at the highest precision
    machine: str


@dataclass(frozen=True, kw_only=True)
class InferenceBench:
    """All shapes of one model."""

    cell: Cell
    shapes: list[Shape]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON can hold them."""
        shapes = [
            asdict(s)
            | {"ratios": {n: {o: r._asdict() for o, r in row.items()} for n, row in s.ratios.items()}}
            for s in self.shapes
        ]
        return {"cell": self.cell.to_dict(), "shapes": shapes}

    def lines(self) -> list[str]:
        """Draw a table for each shape."""
        c, lines = self.cell, []
        lines.append(
            f"{c.preset}, vocabulary {c.vocab_size:,}, {c.precision}, {c.device}, {torch.get_num_threads()} "
            "threads, body alone, forward only, medians of interleaved rounds"
        )
        for shape in self.shapes:
            lines.append(
                f"{shape.batch_size} x {shape.max_length} (vectors differ by {shape.largest_difference:.0e}; "
                f"{shape.machine})"
            )
            for name, rate in shape.texts_per_s.items():
                row = shape.ratios.get(name, {})
                ratios = "".join(f"  {ratio} times {other}" for other, ratio in row.items())
                lines.append(
                    f"  {name:30}{rate:>9,.1f} texts/s {shape.share_of_peak[name]:>5.0%} of peak{ratios}"
                )
        return lines


def bench_inference(
    cell: Cell,
    *,
    lengths: Iterable[int] = (16, 128, 512),
    batch_sizes: Iterable[int] = (1, 8, 32),
    rounds: int = 5,
    progress: bool = False,
    after_shape: Callable[[InferenceBench], object] = lambda _: None,
) -> InferenceBench:
    """Measure every combination of length and batch size.

    Args:
        cell: model, device, precision.
        lengths: positions a text; all are words, but the mask is passed along as a tokenizer gives it.
        batch_sizes: texts at once.
        rounds: how often each side has its turn.
        progress: show a bar.
        after_shape: called with what there is so far.

    Raises:
        MissingExtraError: ``transformers`` is not installed.
    """
    need("transformers", extra="bench")
    shapes = [(size, length) for length in lengths for size in batch_sizes]
    cell = replace(cell, max_length=max(length for _, length in shapes))
    ours, theirs = cell.new_model().bert.eval(), cell.new_transformers_model().bert.eval()
    found: list[Shape] = []
    for size, length in progress_bar(iterable=shapes, unit="shape", desc=cell.preset, disable=not progress):
        inputs = _inputs(replace(cell, batch_size=size, max_length=length))
        found.append(
            _measure(replace(cell, batch_size=size, max_length=length), ours, theirs, inputs, rounds)
        )
        after_shape(InferenceBench(cell=cell, shapes=found))
    return InferenceBench(cell=cell, shapes=found)


def _inputs(cell: Cell) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(cell.seed)
    ids = torch.randint(5, cell.vocab_size, (cell.batch_size, cell.max_length), generator=generator)
    zeros = torch.zeros_like(ids)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": zeros}
    return {name: value.to(cell.device) for name, value in inputs.items()}


def _measure(cell: Cell, ours: Any, theirs: Any, inputs: dict[str, Tensor], rounds: int) -> Shape:
    sides: dict[str, tuple[Any, str]] = {
        THEIRS: (theirs, "highest"),
        "bertlib, matmul highest": (ours, "highest"),
    }
    if cell.matmul != "highest":
        sides[f"transformers, matmul {cell.matmul}"] = (theirs, cell.matmul)
        sides[f"bertlib, matmul {cell.matmul}"] = (ours, cell.matmul)
    forwards = {name: _forward(cell, model, inputs, matmul) for name, (model, matmul) in sides.items()}
    exact = replace(cell, precision="fp32")
    difference = _forward(exact, ours, inputs, "highest")() - _forward(exact, theirs, inputs, "highest")()
    turns = Turns(sides=forwards, calls=_calls(cell, forwards.values()), device=cell.torch_device)
    for _ in range(rounds):
        turns.round()
    rates = {name: cell.batch_size / turns.typical(name) for name in sides}
    others = [name for name in sides if name.startswith(THEIRS)]
    return Shape(
        batch_size=cell.batch_size,
        max_length=cell.max_length,
        texts_per_s=rates,
        ratios={n: {o: turns.ratio(n, o) for o in others} for n in sides if n not in others},
        share_of_peak={name: _share(cell, rate, sides[name][1]) for name, rate in rates.items()},
        largest_difference=difference.abs().max().item(),
        machine=turns.load_line(),
    )


def _forward(cell: Cell, model: Any, inputs: dict[str, Tensor], matmul: str) -> Forward:
    def forward() -> Tensor:
        with torch.inference_mode(), matmul_precision(matmul), autocast(cell.precision, cell.torch_device):
            return model(**inputs).last_hidden_state

    return forward


def _calls(cell: Cell, forwards: Iterable[Side]) -> int:
    """Return how many calls make a turn, after a first one of each, which prepares things."""
    seconds = []
    for forward in forwards:
        forward()
        finish(cell.torch_device)
        began = time.perf_counter()
        forward()
        finish(cell.torch_device)
        seconds.append(time.perf_counter() - began)
    return max(1, math.ceil(TURN_SECONDS / min(seconds)))


def _share(cell: Cell, texts_per_s: float, matmul: str) -> float:
    with matmul_precision(matmul):
        return mfu(
            texts_per_s * cell.max_length, cell.config, length=cell.max_length, selected=None,
            device=cell.device, precision=cell.precision, training=False,
        )  # fmt: skip
