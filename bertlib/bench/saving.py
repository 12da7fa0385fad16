"""What saving costs a training step: runs with and without it, taking turns.

::

    bertlib bench saving --preset mini --every 50

Two trainers with the same weights train in turn in one process; one of them saves every so many steps. The
share is that of whole turns, so it holds everything: the copy, the writing thread's appetite for cores and
for Python's lock, and the wait for a save that is not finished when the next one is due.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from bertlib.bench.cell import random_corpus
from bertlib.data.batches import PreTrainingBatches
from bertlib.pretrain import new_model
from bertlib.recipes import Recipe
from bertlib.train import BertTrainer
from bertlib.train.precision import matmul_precision

TOKENS = 100_000  # of the text; what is in it costs nothing


@dataclass(frozen=True, kw_only=True)
class SavingBench:
    """Medians over the rounds."""

    preset: str
    device: str
    save_every: int
    megabytes: float  # a checkpoint
    step_ms: float  # without saving
    copy_ms: float  # what the training thread itself waits for at a save
    save_ms: float  # what the thread beside it takes until the checkpoint is on the disk
    share: float  # by how much a step is longer with saving, 0.01 is 1 %
    spread: tuple[float, float]  # lowest and highest share of a round

    def lines(self) -> list[str]:
        """Say it in words."""
        low, high = self.spread
        return [
            f"{self.preset} on {self.device}: {self.step_ms:.1f} ms a step; a checkpoint of "
            f"{self.megabytes:.1f} MB every {self.save_every} steps",
            f"a save takes {self.copy_ms:.1f} ms of the training thread, {self.save_ms:.0f} ms in all",
            f"steps are {self.share:+.1%} longer with saving (rounds: {low:+.1%} to {high:+.1%})",
        ]


def bench_saving(
    recipe: Recipe, *, every: int = 50, rounds: int = 7, saves: int = 2, device: torch.device | str = "cpu"
) -> SavingBench:
    """Measure ``rounds`` turns of ``every * saves`` steps of each side; one more to get warm."""
    corpus = random_corpus(recipe.vocab_size, TOKENS, seed=recipe.seed)
    batches = PreTrainingBatches(corpus, recipe.batch_config(), device=device)
    config = recipe.replace(steps=every * saves * (rounds + 1) + 1).training_config()
    with tempfile.TemporaryDirectory() as folder:
        plain, saving = (
            BertTrainer(new_model(recipe, recipe.vocab_size), batches, config, out=out, progress=False)
            for out in (None, Path(folder))
        )
        turns = []
        for _ in range(rounds + 1):
            turns.append((take_turn(plain, every, saves=saves)[0], *take_turn(saving, every, saves=saves)))
        began = time.perf_counter()
        saving.save()
        disk = time.perf_counter() - began
        size = sum(file.stat().st_size for file in Path(folder).glob("checkpoints/step-*/*")) / config.keep
    without, with_them, copies = zip(*turns[1:], strict=True)
    shares = sorted(b / a - 1 for a, b in zip(without, with_them, strict=True))
    return SavingBench(
        preset=recipe.preset,
        device=str(batches.device),
        save_every=every,
        megabytes=size / 1e6,
        step_ms=1e3 * median(without) / (every * saves),
        copy_ms=1e3 * median(copies) / saves,
        save_ms=1e3 * disk,
        share=median(shares),
        spread=(shares[0], shares[-1]),
    )


def take_turn(trainer: BertTrainer, every: int, *, saves: int) -> tuple[float, float]:
    """Train ``every * saves`` steps, starting a save with the first of each ``every``.

    Returns:
        Seconds until the last save is on the disk too, and those that the training thread spent in saves.
    """
    began, inside = time.perf_counter(), 0.0
    with matmul_precision(trainer.config.matmul_precision):
        for number in range(every * saves):
            if number % every == 0:
                before = time.perf_counter()
                trainer.save(wait=False)
                inside += time.perf_counter() - before
            trainer.train_batch(trainer.batches.batch(trainer.step))
        trainer.health.check(trainer.step)  # waits for the device
        trainer.saver.wait()
    return time.perf_counter() - began, inside
