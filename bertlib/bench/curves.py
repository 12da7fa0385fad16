"""Two learning curves from the same weights on the same batches: is what is faster the same thing?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from bertlib.bench.cell import Cell, Data
from bertlib.bench.steps import Step, make_step, our_loss, their_loss
from bertlib.data.batches import Batch


def loss_curves(cell: Cell, *, steps: int = 24) -> dict[str, Any]:
    """Train both for so many steps, without dropout and with it.

    Without dropout the two are the same function of the same numbers, so their losses agree to rounding.
    With it each draws masks of its own, and the curves agree as two runs with other seeds do.

    Returns:
        ``{"no dropout": {"bertlib": [...], "transformers": [...]}, "with dropout": {...},
        "largest_difference": ...}``, the last without dropout.

    Raises:
        MissingExtraError: ``transformers`` is not installed.
    """
    curves: dict[str, Any] = {
        "no dropout": _pair(replace(cell, dropout=0.0), steps),
        "with dropout": _pair(replace(cell, dropout=cell.dropout or 0.1), steps),
    }
    ours, theirs = curves["no dropout"].values()
    curves["largest_difference"] = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    return curves


def _pair(cell: Cell, steps: int) -> dict[str, list[float]]:
    data = Data(cell)
    ours, theirs = cell.new_model(), cell.new_transformers_model()

    def run(make: Callable[[Callable[[], Batch]], Step]) -> list[float]:
        batches = _batches(data)
        step = make(lambda: next(batches))
        return [round(float(step()), 6) for _ in range(steps)]

    return {
        "bertlib": run(
            lambda b: make_step(ours, our_loss(ours, precision=cell.precision), b, matmul=cell.matmul)
        ),
        "transformers": run(
            lambda b: make_step(theirs, their_loss(theirs, precision=cell.precision), b, matmul="highest")
        ),
    }


def _batches(data: Data) -> Iterator[Batch]:
    return map(data.batches.batch, count())
