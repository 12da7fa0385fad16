"""What does each trick do? Taken out of the whole one at a time, and added one after another.

A trick's worth depends on the others: the output layer's share grows when the blocks are fast. So both tables
are needed. Texts are fixed and packed full; masking is part of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from bertlib.bench.cell import Cell, Data
from bertlib.bench.packing import COUNT, packing_ways
from bertlib.bench.steps import Step
from bertlib.bench.turns import Ratio, Turns, why
from bertlib.bench.variants import EXTRAS, TRICKS, variant_step
from bertlib.progress import progress_bar

ALL, NONE = "all tricks", "no trick"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One variant: positions a second, and how many times as fast as its table's first."""

    tokens_per_s: float
    ratio: Ratio


@dataclass(kw_only=True)
class AblateBench:
    """Tables that fill up while it measures; None stands for what was not measured, ``reasons`` say why."""

    cell: Cell
    removed: dict[str, Row | None] = field(default_factory=dict)  # ratio to ALL
    added: dict[str, Row | None] = field(default_factory=dict)  # ratio to NONE
    extra: dict[str, Row | None] = field(default_factory=dict)  # ratio to ALL
    packing: dict[str, Row | None] = field(default_factory=dict)  # words a second, ratio to padded pairs
    machine: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)  # by the name of what was not measured

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON can hold them."""
        tables = {name: getattr(self, name) for name in ("removed", "added", "extra", "packing")}
        plain = {
            title: {
                name: row and {"tokens_per_s": row.tokens_per_s, "ratio": row.ratio._asdict()}
                for name, row in table.items()
            }
            for title, table in tables.items()
        }
        words = {"tricks": TRICKS | EXTRAS, "machine": self.machine, "reasons": self.reasons}
        return {"cell": self.cell.to_dict()} | words | plain

    def lines(self) -> list[str]:
        """Draw the four tables."""
        return [
            f"{self.cell}, medians of interleaved rounds",
            *_table("each trick taken out of the whole", self.removed),
            *_table("tricks added one after another", self.added),
            *_table("added to the whole", self.extra),
            *_table("words a second, padding not counted", self.packing),
            *(f"{name} was not measured: {reason}" for name, reason in self.reasons.items()),
            *self.machine,
        ]


def _table(title: str, table: dict[str, Row | None]) -> list[str]:
    rows = [f"{title:40}{'tokens/s':>10}  ratio (lowest-highest)"]
    for name, row in table.items():
        rows.append(
            f"  {name:38}" + (f"{row.tokens_per_s:>10,.0f}  {row.ratio}" if row else f"{'not measured':>14}")
        )
    return rows


def bench_ablation(
    cell: Cell,
    *,
    rounds: int = 5,
    steps: int = 2,
    extras: Collection[str] = tuple(EXTRAS),
    progress: bool = False,
    after_table: Callable[[AblateBench], object] = lambda _: None,
) -> AblateBench:
    """Measure all four tables.

    Args:
        cell: model, texts, device; ``cell.matmul`` is what the trick "matmul" chooses.
        rounds: how often each side has its turn.
        steps: a turn.
        extras: which of :data:`EXTRAS`; those that need a GPU are left out without one.
        progress: show bars.
        after_table: called with what there is so far, to save it.
    """
    batch, names = Data(cell).batch, list(TRICKS)
    result = AblateBench(cell=cell)

    def variant(tricks: Collection[str], extra: str | None = None) -> Callable[[], Step]:
        return lambda: variant_step(cell, batch, tricks, extra=extra)

    removed = {ALL: variant(names)} | {
        f"without {name}": variant([n for n in names if n != name]) for name in names
    }
    added = {NONE: variant([])} | {f"+ {name}": variant(names[: i + 1]) for i, name in enumerate(names)}
    on_gpu = cell.device.startswith("cuda")
    possible = [name for name in extras if on_gpu or "GPU only" not in EXTRAS[name]]
    extra = {ALL: variant(names)} | {f"+ {name}": variant(names, name) for name in possible}
    plan = {"removed": removed, "added": added, "extra": extra}
    for title, sides in plan.items():
        table = _measure(result, title, sides, rounds, steps, progress=progress)
        setattr(result, title, table)
        if title == "extra":
            result.extra |= {f"+ {name}": None for name in EXTRAS if f"+ {name}" not in table}
        after_table(result)
    ways, words = packing_ways(cell)
    # every turn goes once through all batches, whatever their lengths
    result.packing = _measure(result, "packing", ways, rounds, COUNT, progress=progress, tokens=words)
    after_table(result)
    return result


def _measure(
    result: AblateBench,
    title: str,
    makers: dict[str, Callable[[], Step]],
    rounds: int,
    steps: int,
    *,
    progress: bool,
    tokens: dict[str, float] | None = None,
) -> dict[str, Row | None]:
    """Measure the sides of one table against its first; ``tokens`` a call where they differ.

    An extra that fails, such as a compiler that is not there, is left out and its reason kept.
    """
    cell, sides = result.cell, {}
    for name, make in makers.items():
        try:
            step = make()
            step()  # compiles, fills caches, makes room
            step()
        except Exception as error:
            if title != "extra" or name == ALL:
                raise
            result.reasons[name] = why(error)
        else:
            sides[name] = step
    turns = Turns(sides=sides, calls=steps, device=cell.torch_device)
    with progress_bar(total=rounds, unit="round", desc=title, disable=not progress) as bar:
        for _ in range(rounds):
            turns.round()
            bar.update()
    result.machine.append(f"{title}: {turns.load_line()}")
    first = next(iter(sides))
    counts = tokens or dict.fromkeys(sides, float(cell.tokens))
    rows: dict[str, Row | None] = {}
    for name in sides:
        more = counts[name] / counts[first]  # in the same time
        ratio = Ratio(*(value * more for value in turns.ratio(name, first)))
        rows[name] = Row(tokens_per_s=counts[name] / turns.typical(name), ratio=ratio)
    return rows
