"""Whole trainers, each at the batch size that suits it: nobody is held back by the other's choice.

At one size for all, the faster side of a GPU is the one that happens to like that size. So each side first
looks for its own: twice as many texts again and again, until memory ends or growing no longer pays. Its best
is the *smallest* batch within 2 % of its highest rate. Then both take turns as in
:mod:`bertlib.bench.pretrain`, each at its own size; what is compared is tokens a second.

Ours takes part twice more. Once it is given the same batch again and again: by how much it is faster then is
the share of a step that making batches takes. And once it is compiled, which the trainer itself does not do.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import torch

from bertlib.bench.cell import Cell, Data
from bertlib.bench.pretrain import OUR_TRAINER, TRAINER, rounds_within_trainer, share_of_peak
from bertlib.bench.steps import Step
from bertlib.bench.trainers import bert_trainer_step
from bertlib.bench.turns import Ratio, Turns, why
from bertlib.errors import ConfigError
from bertlib.extras import need
from bertlib.train.memory import out_of_memory

COMPILED = OUR_TRAINER + ", compiled"
FEWEST = {"cuda": 8_192, "cpu": 512}  # positions of the first batch that is tried
MOST = {"cuda": 1 << 20, "cpu": 8_192}  # and of the last
CLOSE = 0.98  # of the highest rate is as good as the highest
WARM_UP = 3  # steps before the first turn
STEPS = 8  # a turn: as many as an epoch has, so that one cutting of the text falls into it


class Tried(NamedTuple):
    """A batch size and what it brought."""

    batch_size: int
    tokens_per_s: float


@dataclass(frozen=True, kw_only=True)
class SideAtBest:
    """One side at its own batch size."""

    batch_size: int
    tokens_per_s: float
    share_of_peak: float
    ratios: dict[str, Ratio] = field(default_factory=dict)  # how many times as many tokens a second
    data_share: float | None = None  # of a step, spent on making its batch; ours only


@dataclass(kw_only=True)
class BestBatch:
    """One model, every side at its best. Quote the ratios; the rates belong to this machine."""

    cell: Cell
    sides: dict[str, SideAtBest] = field(default_factory=dict)
    tried: dict[str, list[Tried]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)  # by the name of what was not measured
    machine: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON can hold them; the batch size is each side's own."""
        cell = {key: value for key, value in self.cell.to_dict().items() if key != "batch_size"}
        sides = {
            name: asdict(side) | {"ratios": {other: r._asdict() for other, r in side.ratios.items()}}
            for name, side in self.sides.items()
        }
        words = {"reasons": self.reasons, "machine": self.machine}
        return {"cell": cell, "sides": sides, "tried": self.tried} | words

    def lines(self) -> list[str]:
        """Draw a small table."""
        c = self.cell
        lines = [f"{c.preset}, vocabulary {c.vocab_size:,}, length {c.max_length}, {c.precision}, {c.device}"]
        for name, side in self.sides.items():
            data = "" if side.data_share is None else f", {side.data_share:.1%} of a step for its batch"
            lines.append(
                f"  {name:34}{side.tokens_per_s:>12,.0f} tokens/s at {side.batch_size:,} texts, "
                f"{side.share_of_peak:.0%} of peak{data}"
            )
            lines += [f"    {ratio} times {other}" for other, ratio in side.ratios.items()]
        lines += [f"  {name} was not measured: {reason}" for name, reason in self.reasons.items()]
        return [*lines, f"  {self.machine}"]


def models_of(text: str) -> list[tuple[str, int]]:
    """Read "mini:128,base:512" as presets and lengths.

    Raises:
        ConfigError: something else.
    """
    found = [word.strip().partition(":") for word in text.split(",")]
    if not all(preset and length.isdigit() for preset, _, length in found):
        raise ConfigError(f"--models {text!r}: expected presets and lengths, such as mini:128,base:512")
    return [(preset, int(length)) for preset, _, length in found]


def bench_best_batch(
    cell: Cell, *, rounds: int = 5, workers: int = 0, compiled: bool = False, most: int | None = None
) -> BestBatch:
    """Find every side's batch size and compare them there.

    Args:
        cell: model, length, device and precision; its batch size does not matter.
        rounds: how often each side has its turn at the end.
        workers: compare also with a Trainer whose batches so many processes make; 0: no such side.
        compiled: compare also with our model compiled.
        most: positions of the largest batch to try; None: :data:`MOST`.

    Raises:
        MissingExtraError: ``transformers`` is not installed.
    """
    need("transformers", extra="bench")
    result = BestBatch(cell=cell)
    hosts = {TRAINER: 0} | ({f"{TRAINER}, {workers} workers": workers} if workers else {})

    def their_rate(name: str) -> Callable[[Cell], float]:
        def rate(its: Cell) -> float:
            turns = Turns(sides={}, calls=STEPS, device=its.torch_device)
            rounds_within_trainer(its, Data(its), turns, 1, name=name, workers=hosts[name])
            return its.tokens / turns.typical(name)

        return rate

    rates = {name: their_rate(name) for name in hosts} | {OUR_TRAINER: our_rate}
    at_best = {}
    for name, rate in rates.items():
        result.tried[name] = search(rate, sizes_of(cell, most))
        at_best[name] = replace(cell, batch_size=best_of(result.tried[name]))
    for name, host in hosts.items():
        once = compiled and name == TRAINER  # it takes a minute
        _take_turns(result, at_best, name, host, rounds=rounds, compiled=once)
    return result


def our_rate(cell: Cell) -> float:
    """Return the tokens a second of our trainer, which makes its own batches."""
    step = bert_trainer_step(cell, Data(cell))
    for _ in range(WARM_UP):
        step()
    turns = Turns(sides={OUR_TRAINER: step}, calls=STEPS, device=cell.torch_device)
    turns.round()
    return cell.tokens / turns.typical(OUR_TRAINER)


def sizes_of(cell: Cell, most: int | None) -> list[Cell]:
    """Return the cell with 1, 2, 4 ... times the first number of texts."""
    kind = cell.torch_device.type
    size, largest = max(FEWEST[kind] // cell.max_length, 1), (most or MOST[kind]) // cell.max_length
    sizes = [size]
    while 2 * sizes[-1] <= largest:
        sizes.append(2 * sizes[-1])
    return [replace(cell, batch_size=size) for size in sizes]


def search(rate: Callable[[Cell], float], cells: Iterable[Cell]) -> list[Tried]:
    """Try batch sizes in rising order; end where memory does, or after two that brought no more.

    Raises:
        RuntimeError: out of memory at the very first.
    """
    tried: list[Tried] = []
    for cell in cells:
        free_memory(cell.torch_device)
        try:
            tried.append(Tried(cell.batch_size, rate(cell)))
        except Exception as error:
            if not tried or not (out_of_memory(error) or out_of_memory(error.__cause__ or error)):
                raise
            break
        rates = [one.tokens_per_s for one in tried]
        if len(rates) > 2 and CLOSE * max(rates[-2:]) <= max(rates[:-2]):
            break
    return tried


def best_of(tried: list[Tried]) -> int:
    """Return the smallest batch that is as good as the best."""
    highest = max(one.tokens_per_s for one in tried)
    return next(one.batch_size for one in tried if one.tokens_per_s >= CLOSE * highest)


def free_memory(device: torch.device) -> None:
    """Give back what earlier sides have left."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _take_turns(
    result: BestBatch, at_best: dict[str, Cell], host: str, workers: int, *, rounds: int, compiled: bool
) -> None:
    """Let ours take turns with one Trainer, and note what came out."""
    theirs, ours = at_best[host], at_best[OUR_TRAINER]
    free_memory(ours.torch_device)
    data, given = Data(ours), OUR_TRAINER + ", batch given"
    makers: dict[str, Callable[[], Step]] = {
        OUR_TRAINER: lambda: bert_trainer_step(ours, data),
        given: lambda: bert_trainer_step(ours, data, given=True),
    }
    if compiled:
        makers[COMPILED] = lambda: bert_trainer_step(ours, data, compiled=True)
    sides = {}
    for name, make in makers.items():
        try:
            step = make()
            for _ in range(WARM_UP):
                step()
            sides[name] = step
        except Exception as error:
            if name != COMPILED:
                raise
            result.reasons[name] = why(error)
    turns = Turns(sides=sides, calls=STEPS, device=ours.torch_device)
    rounds_within_trainer(theirs, Data(theirs), turns, rounds, name=host, workers=workers)
    result.sides[host] = _side(theirs, host, turns)
    result.machine = turns.load_line()
    more = ours.tokens / theirs.tokens  # in a step
    for name in (name for name in sides if name != given):
        ratio = Ratio(*(value * more for value in turns.ratio(name, host)))
        side = result.sides.get(name) or _side(ours, name, turns)
        share = 1 - turns.typical(given) / turns.typical(OUR_TRAINER) if name == OUR_TRAINER else None
        result.sides[name] = replace(side, ratios=side.ratios | {host: ratio}, data_share=share)


def _side(cell: Cell, name: str, turns: Turns) -> SideAtBest:
    rate = cell.tokens / turns.typical(name)
    return SideAtBest(
        batch_size=cell.batch_size, tokens_per_s=rate, share_of_peak=share_of_peak(cell, name, rate)
    )
