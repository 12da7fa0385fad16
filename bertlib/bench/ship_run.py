"""Pre-train the shipped model on a GPU and ship it: one command, within so many minutes.

::

    python -m bertlib.bench.ship_run texts/books/train.txt.xz texts/wiki/train.txt.xz \
        --valid texts/books/valid.txt.xz --valid texts/wiki/valid.txt.xz --minutes 8 --out OUT

It is ``bertlib pretrain`` and then ``python -m bertlib.bench.ship``, the very same functions, with the
numbers below. It wants a machine with a GPU and the texts beside the checkout; no installed package and no
network: ``python3 -m`` in the repository's root will do, with torch, numpy, accelerate, safetensors,
tokenizers and tqdm. OUT then holds eight files::

    mini-books/             config.json  model.safetensors  vocab.txt  tokenizer_config.json
                            card.json  MODEL_CARD.md
    mini-books-curve.json   log.jsonl

Copy the folder over ``bertlib/pretrained/mini-books``, the curve into ``book/results``.

``--minutes`` are minutes of training; vocabulary, token arrays and the measurements at the end come on top.
Interrupted (Ctrl-C, ``timeout -s INT``), it ships the newest checkpoint; ``--resume`` goes on with the run. A
first look at ``--minutes 0.5`` costs little and tells the rate, the loss and whether the learning rate is too
high.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from bertlib.bench.ship import ship
from bertlib.errors import BertlibError
from bertlib.pretrain import pretrain
from bertlib.recipes import Recipe
from bertlib.request import Request

# A Mini on a card such as an H200. A batch of 512 x 128 is 65,536 positions, ten thousand of them masked:
# enough work for the card at a width of 256, little enough to leave room for ten thousand steps or more. The
# recipe's 1e-3 is for a quarter of that batch, so twice as much (the square root of four). Dropout is off:
# with new masks at each pass, five million parameters cannot learn so much text by heart. The held-out text
# of the books and articles is 7 such batches.
GPU: dict[str, Any] = {
    "batch_size": 512, "max_length": 128, "learning_rate": 2e-3, "warmup_share": 0.06, "dropout": 0.0,
    "precision": "bf16", "log_every": 20, "eval_every": 500, "eval_batches": 7, "save_every": 1000,
}  # fmt: skip
TRAINING = "training a "  # so begins what `pretrain` says when text and vocabulary are ready
POWER_EVERY = 2.0  # seconds between two looks at the card's own meter


class PowerMeter:
    """The mean of a GPU's own power readings while it trains, in watts; none where it has no meter."""

    def __init__(self) -> None:
        self.readings: list[float] = []
        self._done = threading.Event()
        self._training = threading.Event()

    def listen(self, line: str) -> None:
        """Hear what ``pretrain`` says, and begin when it begins to train."""
        if line.startswith(TRAINING):
            self._training.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Read the meter from time to time while the block runs, once training has begun."""
        thread = threading.Thread(target=self._read, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def _read(self) -> None:
        while torch.cuda.is_available() and not self._done.wait(POWER_EVERY):
            if not self._training.is_set():
                continue
            try:
                self.readings.append(torch.cuda.power_draw() / 1000)
            except Exception:  # no library to ask, or a driver that does not tell: then there is no number
                return

    def told(self) -> dict[str, Any]:
        """Return what ``ship`` wants to hear."""
        if not self.readings:
            return {}
        watts = sum(self.readings) / len(self.readings)
        source = f"mean of {len(self.readings):,} readings of the card's own meter"
        return {"watts": round(watts, 1), "watts_source": source}


def request_of(given: argparse.Namespace) -> Request:
    """Turn the command line into what ``pretrain`` wants to know."""
    changes = {name: getattr(given, name) for name in ("steps", "batch_size", "learning_rate", "dropout")}
    recipe = Recipe.for_preset(
        given.preset,
        vocab_size=given.vocab_size,
        seed=given.seed,
        **(GPU | {"precision": given.precision} | {k: v for k, v in changes.items() if v is not None}),
    )
    return Request(
        out=given.run,
        recipe=recipe,
        sources=tuple(given.sources),
        valid=tuple(given.valid),
        minutes=None if given.steps else given.minutes,
        device=given.device,
    )


def ship_run(
    request: Request, out: Path, *, name: str, resume: bool = False, watts: float | None = None
) -> None:
    """Pre-train, and ship what there is at the end or at an interruption; ``out`` gets eight files.

    Raises:
        BertlibError: as ``pretrain`` and ``ship``.
    """
    meter, began, cpu = PowerMeter(), time.perf_counter(), time.process_time()

    def hear(line: str) -> None:
        meter.listen(line)
        _say(line)

    with meter.running():
        try:
            pretrain(request, resume=resume, progress=False, say=hear)
        except KeyboardInterrupt:
            _say("interrupted: the newest checkpoint is shipped")
    spent = time.process_time() - cpu
    _say(f"{time.perf_counter() - began:.0f} s for everything up to here")
    out.mkdir(parents=True, exist_ok=True)
    card = ship(
        request.out,
        out / name,
        name=name,
        curve_file=out / f"{name}-curve.json",
        device=request.device,
        told={"watts": watts, "cpu_seconds": None if resume else [round(spent)]} | meter.told(),
        command=f"python -m bertlib.bench.ship RUN --name {name}",
    )
    shutil.copy(request.out / "log.jsonl", out / "log.jsonl")
    _say(f"held-out: {card['held_out']}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--valid", action="append", default=[])
    parser.add_argument("--run", type=Path, default=Path("runs/mini-books"), help="where the run itself lies")
    parser.add_argument("--out", type=Path, required=True, help="where the eight files go")
    parser.add_argument("--name", default="mini-books")
    parser.add_argument("--preset", default="mini")
    parser.add_argument("--vocab-size", type=int, default=8192, help="16384 still fits into 16 MB")
    parser.add_argument("--minutes", type=float, default=8.0, help="of training")
    parser.add_argument("--steps", type=int, help="instead of minutes")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--dropout", type=float)
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--watts", type=float, help="assumed power where the device has no meter")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --run")
    given = parser.parse_args(arguments)
    try:
        request = Request.load(given.run) if given.resume else request_of(given)
        ship_run(request, given.out, name=given.name, resume=given.resume, watts=given.watts)
    except BertlibError as error:
        sys.exit(f"ship_run: {error}")


if __name__ == "__main__":
    main()
