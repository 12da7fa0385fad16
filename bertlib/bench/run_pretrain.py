"""``bertlib bench pretrain``: from what was asked for to one of its four measurements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bertlib.bench.ablate import bench_ablation
from bertlib.bench.cell import Cell
from bertlib.bench.pretrain import bench_pretraining
from bertlib.bench.sweep import PRESETS, VOCAB_SIZES, cells_of_sweep, sweep
from bertlib.errors import ConfigError

Keep = Callable[[dict[str, Any]], object]
Say = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options as they were typed; None stands for a default that depends on others.

    Raises:
        ConfigError: two measurements at once, or something to compare with that we do not know.
    """

    presets: str | None = None  # with commas between them
    vocab_sizes: str | None = None
    precisions: str = "fp32"
    batch_size: int | None = None
    max_length: int = 128
    rounds: int = 7
    steps: int = 3
    matmul: str | None = None
    device: str = "cpu"
    against: str | None = None
    sweep: bool = False
    ablate: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.against not in (None, "transformers"):
            raise ConfigError(f"--against {self.against!r}: expected transformers")
        if self.ablate and (self.sweep or self.against):
            raise ConfigError("--ablate measures our own tricks; ask for --sweep or --against separately")

    def cells(self) -> list[Cell]:
        """Return what is to be measured, one cell or a table of them."""
        presets = _words(self.presets) or (list(PRESETS) if self.sweep else ["mini"])
        sizes = VOCAB_SIZES if self.sweep else (30_522,)
        vocab_sizes = whole_numbers(self.vocab_sizes, "--vocab-size") if self.vocab_sizes else list(sizes)
        precisions = _words(self.precisions)
        one = len(presets) == len(vocab_sizes) == len(precisions) == 1 and not self.sweep
        return cells_of_sweep(
            Cell(
                device=self.device, max_length=self.max_length, seed=self.seed,
                matmul=self.matmul or default_matmul(self.device),
            ),
            presets=presets,
            vocab_sizes=vocab_sizes,
            precisions=precisions,
            batch_size=self.batch_size or (32 if one else None),
        )  # fmt: skip


def run_pretrain_bench(asked: Asked, *, keep: Keep, say: Say) -> tuple[dict[str, Any], list[str]]:
    """Measure what was asked for.

    Args:
        asked: the options.
        keep: called with the results so far, to write them.
        say: called with lines about cells that are done, while others follow.

    Returns:
        The results as JSON can hold them, and the lines to print.

    Raises:
        ConfigError: options that do not go together, or a GPU that is not there.
        MissingExtraError: ``transformers`` is not installed.
    """
    cells = asked.cells()
    if asked.ablate:
        return _ablate(asked, cells, keep)
    if asked.sweep or asked.against or len(cells) > 1:
        return _sweep(asked, cells, keep, say)
    result = bench_pretraining(cells[0], rounds=asked.rounds, steps=asked.steps)
    keep(result.to_dict())
    return result.to_dict(), result.lines()


def _ablate(asked: Asked, cells: list[Cell], keep: Keep) -> tuple[dict[str, Any], list[str]]:
    if len(cells) != 1:
        raise ConfigError("--ablate measures one model at a time; give one --preset and one --vocab-size")
    result = bench_ablation(
        cells[0],
        rounds=asked.rounds,
        steps=asked.steps,
        progress=True,
        after_table=lambda found: keep(found.to_dict()),
    )
    return result.to_dict(), result.lines()


def _sweep(asked: Asked, cells: list[Cell], keep: Keep, say: Say) -> tuple[dict[str, Any], list[str]]:
    printed: list[str] = []

    def after_cell(results: list[dict[str, Any]], lines: list[str]) -> None:
        keep({"cells": results})
        printed.extend([*lines, ""])
        if len(results) < len(cells):
            say(f"{len(results)} of {len(cells)}: {lines[0]}")

    results = sweep(cells, rounds=asked.rounds, steps=asked.steps, progress=True, after_cell=after_cell)
    return {"cells": results}, printed[:-1]


def default_matmul(device: str) -> str:
    """Return the fp32 products that we choose: "high" is TF32 on GPUs, "medium" is fp32 on most CPUs."""
    return "high" if device.startswith("cuda") else "medium"


def whole_numbers(text: str, option: str) -> list[int]:
    """Read "16,128" as [16, 128].

    Raises:
        ConfigError: something else.
    """
    try:
        found = [int(word) for word in _words(text)]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise ConfigError(f"{option} {text!r}: expected whole numbers above 0 with commas between them")
    return found


def _words(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]
