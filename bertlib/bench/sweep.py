"""The whole table: sizes, vocabularies and precisions, each cell measured in full and written at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from bertlib.bench.cell import Cell
from bertlib.bench.curves import loss_curves
from bertlib.bench.memory import memory_of
from bertlib.bench.pretrain import PretrainBench, bench_pretraining
from bertlib.bench.turns import why
from bertlib.errors import BertlibError
from bertlib.train.memory import out_of_memory

PRESETS = ("tiny", "mini", "small", "base")
VOCAB_SIZES = (8_192, 30_522)
BATCH_SIZES = {  # texts a step: enough to keep the machine busy, few enough for a measurement to end
    "cpu": {"tiny": 32, "mini": 32, "small": 16, "base": 4},
    "cuda": {"tiny": 1024, "mini": 512, "small": 256, "base": 128},
}


def cells_of_sweep(
    cell: Cell,
    *,
    presets: Iterable[str] = PRESETS,
    vocab_sizes: Iterable[int] = VOCAB_SIZES,
    precisions: Iterable[str] = ("fp32",),
    batch_size: int | None = None,
) -> list[Cell]:
    """Return all combinations; everything else as in ``cell``.

    Args:
        cell: device, matmul precision, length, seed.
        presets: sizes.
        vocab_sizes: of the vocabulary.
        precisions: fp32, bf16.
        batch_size: of all; None: :data:`BATCH_SIZES`.
    """
    kind = "cuda" if cell.device.startswith("cuda") else "cpu"
    return [
        replace(
            cell,
            preset=preset,
            vocab_size=size,
            precision=precision,
            batch_size=batch_size or BATCH_SIZES[kind].get(preset, 4),
        )
        for preset in presets
        for size in vocab_sizes
        for precision in precisions
    ]


def measure_in_full(cell: Cell, *, rounds: int, steps: int, progress: bool = False) -> PretrainBench:
    """Measure speed, memory (in a process for each side) and learning curves of one cell, all sides.

    Args:
        cell: the conditions.
        rounds: see :func:`bench_pretraining`.
        steps: a turn.
        progress: show a bar.
    """
    result = bench_pretraining(cell, rounds=rounds, steps=steps, full=True, progress=progress)
    sides = {name: replace(side, memory_mb=memory_of(name, cell)) for name, side in result.sides.items()}
    return replace(result, sides=sides, curves=loss_curves(cell))


def sweep(
    cells: Iterable[Cell],
    *,
    rounds: int,
    steps: int,
    progress: bool = False,
    after_cell: Callable[[list[dict[str, Any]], list[str]], object] = lambda _, __: None,
) -> list[dict[str, Any]]:
    """Measure one cell after another.

    A cell that cannot be measured (too little memory, say) is noted with its reason, and the next follows.

    Args:
        cells: from :func:`cells_of_sweep`.
        rounds: see :func:`bench_pretraining`.
        steps: a turn.
        progress: show bars.
        after_cell: called with all results so far and the lines of the newest.
    """
    results: list[dict[str, Any]] = []
    for cell in cells:
        try:
            found = measure_in_full(cell, rounds=rounds, steps=steps, progress=progress)
            results.append(found.to_dict())
            lines = found.lines()
        except Exception as error:
            if not (isinstance(error, BertlibError) or out_of_memory(error)):
                raise
            results.append({"cell": cell.to_dict(), "not_measured": why(error)})
            lines = [f"{cell}: not measured: {why(error)}"]
        after_cell(results, lines)
    return results
