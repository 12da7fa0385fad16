"""How much memory does a side take? On a CPU each is measured in a process of its own.

There: the highest resident size, over what the process had when everything was imported and the texts were
there, but no model yet. On a GPU PyTorch counts its own bytes, so no other process is needed: the most it had
allocated, over what it had before the model was made.

::

    python -m bertlib.bench.memory "transformers" '{"preset": "tiny"}'
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

import psutil
import torch

from bertlib.bench.cell import Cell, Data
from bertlib.bench.pretrain import OUR_TRAINER, TRAINER, fixed_batch_sides
from bertlib.bench.steps import Step
from bertlib.bench.trainers import bert_trainer_step, collator_of_transformers, run_transformers_trainer
from bertlib.errors import BertlibError, ConfigError
from bertlib.extras import need

STEPS = 3  # the second step is the first with the optimiser's memory in place


def memory_of(name: str, cell: Cell) -> float:
    """Return the megabytes (10^6 bytes) that a side of :func:`bench_pretraining` takes.

    Raises:
        BertlibError: the process that measures failed; its last words are quoted.
    """
    if cell.device.startswith("cuda"):
        return measure_here(name, cell)
    command = [sys.executable, "-m", "bertlib.bench.memory", name, json.dumps(cell.to_dict())]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BertlibError(f"measuring the memory of {name!r} failed ({last}); is there enough of it?")
    return float(done.stdout.strip().splitlines()[-1])


def measure_here(name: str, cell: Cell) -> float:
    """Take a few steps in this process and return the megabytes that they took.

    Raises:
        ConfigError: no side of that name.
    """
    need("transformers", extra="bench")
    _import_all(cell)
    data = Data(cell)
    sides = fixed_batch_sides(cell, data.batch, full=True) | {
        OUR_TRAINER: lambda: bert_trainer_step(cell, data),
        TRAINER: lambda: _trainer_at_once(cell, data),
    }
    if name not in sides:
        raise ConfigError(f"there is no side {name!r}; there are {', '.join(sides)}")
    on_gpu = cell.device.startswith("cuda")
    base = allocated_on(cell.torch_device) if on_gpu else psutil.Process().memory_info().rss
    step = sides[name]()
    for _ in range(STEPS):
        step()
    highest = torch.cuda.max_memory_allocated(cell.torch_device) if on_gpu else highest_resident()
    return (highest - base) / 1e6


def allocated_on(device: torch.device) -> int:
    """Return the bytes that tensors take on a GPU now, and let its highest mark begin from here."""
    gc.collect()  # models of other measurements that only a cycle keeps alive
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _import_all(cell: Cell) -> None:
    """Import what any side needs, lazily loaded modules too: libraries are not charged to their user."""
    from transformers import BertForPreTraining, Trainer, TrainingArguments  # noqa: F401

    import bertlib.interop  # noqa: F401

    collator_of_transformers(cell.vocab_size)


def _trainer_at_once(cell: Cell, data: Data) -> Step:
    run_transformers_trainer(cell, data, steps=STEPS, after_step=lambda _: None)
    return lambda: 0.0


def highest_resident() -> int:
    """Return the most bytes that this process ever had in memory.

    ``getrusage`` may count what the parent had when it started us; Linux also has a figure without that.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    info = psutil.Process().memory_info()
    if hasattr(info, "peak_wset"):
        return info.peak_wset
    import resource  # not on every system

    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024


def main() -> None:
    """Measure one side and print megabytes."""
    print(measure_here(sys.argv[1], Cell(**json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
