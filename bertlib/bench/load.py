"""How long until one can start? Imports and loading, in fresh processes that take turns."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bertlib.bench.cell import Cell
from bertlib.bench.trainers import collator_of_transformers, word_piece_names
from bertlib.errors import BertlibError
from bertlib.extras import need
from bertlib.progress import progress_bar
from bertlib.store import save_pretrained
from bertlib.tokenizer import WordPieceTokenizer

# name: (what is imported, what is loaded). FOLDER stands for the side's folder.
CHILDREN = {
    "python alone": ("", ""),
    "import torch": ("import torch", ""),
    "import bertlib": ("import bertlib", ""),
    "bertlib": ("from bertlib import load_pretrained", "load_pretrained(FOLDER)"),
    "transformers": (
        "from transformers import AutoTokenizer, BertForPreTraining",
        "BertForPreTraining.from_pretrained(FOLDER).eval(), AutoTokenizer.from_pretrained(FOLDER)",
    ),
}
_SCRIPT = """
import json, time
FOLDER = {folder!r}
a = time.perf_counter()
{imports}
b = time.perf_counter()
loaded = {load} or None
c = time.perf_counter()
print(json.dumps([b - a, c - b]))
"""


@dataclass(frozen=True, kw_only=True)
class LoadTime:
    """Medians in seconds."""

    whole_s: float  # the process from start to end
    import_s: float
    load_s: float


@dataclass(frozen=True, kw_only=True)
class LoadBench:
    """All sides; a model and its tokenizer are loaded, in evaluation mode."""

    preset: str
    vocab_size: int
    megabytes: float  # of weights
    rounds: int
    sides: dict[str, LoadTime]
    ratio: float  # transformers' whole time / ours

    def lines(self) -> list[str]:
        """Draw the comparison as a small table."""
        head = (
            f"{self.preset}, vocabulary {self.vocab_size:,}, {self.megabytes:.0f} MB of weights, "
            f"fresh processes, medians of {self.rounds} interleaved rounds"
        )
        rows = [f"{'seconds':20}{'whole':>8}{'import':>8}{'load':>8}"]
        for name, side in self.sides.items():
            rows.append(f"{name:20}{side.whole_s:>8.2f}{side.import_s:>8.2f}{side.load_s:>8.3f}")
        return [head, *rows, f"until loaded, transformers takes {self.ratio:.2f} times as long"]


def bench_loading(cell: Cell, *, rounds: int = 5, progress: bool = False) -> LoadBench:
    """Save one model both ways and time each way of getting it back.

    Args:
        cell: preset, vocabulary and seed of the model.
        rounds: fresh processes of each side, after one that warms the disk's cache.
        progress: show a bar.

    Raises:
        MissingExtraError: ``transformers`` is not installed.
        BertlibError: a process failed.
    """
    need("transformers", extra="bench")
    times: dict[str, list[tuple[float, float, float]]] = {name: [] for name in CHILDREN}
    with tempfile.TemporaryDirectory() as folder:
        size = _save_both(cell, Path(folder))
        for number in progress_bar(
            iterable=range(rounds + 1), unit="round", desc="load", disable=not progress
        ):
            for name in CHILDREN:
                measured = _run(name, Path(folder) / name)
                if number > 0:
                    times[name].append(measured)
    sides = {
        name: LoadTime(whole_s=median(w), import_s=median(i), load_s=median(lo))
        for name, values in times.items()
        for w, i, lo in [tuple(zip(*values, strict=True))]
    }
    ratios = [a[0] / b[0] for a, b in zip(times["transformers"], times["bertlib"], strict=True)]
    return LoadBench(
        preset=cell.preset,
        vocab_size=cell.vocab_size,
        megabytes=size / 1e6,
        rounds=rounds,
        sides=sides,
        ratio=median(ratios),
    )


def _save_both(cell: Cell, folder: Path) -> int:
    """Save the model as each library does; return the bytes of its weights."""
    names = word_piece_names(cell.vocab_size)
    save_pretrained(folder / "bertlib", cell.new_model().cpu(), WordPieceTokenizer(names))
    cell.new_transformers_model().cpu().save_pretrained(folder / "transformers")
    collator_of_transformers(cell.vocab_size).tokenizer.save_pretrained(folder / "transformers")
    return sum(file.stat().st_size for file in (folder / "bertlib").glob("*.safetensors"))


def _run(name: str, folder: Path) -> tuple[float, float, float]:
    """Return the whole time, the import's and the loading's of one fresh process."""
    imports, load = CHILDREN[name]
    script = _SCRIPT.format(folder=str(folder), imports=imports, load=f"({load})" if load else "None")
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    whole = time.perf_counter() - began
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BertlibError(f"the process for {name!r} failed: {last}")
    inner = json.loads(done.stdout.strip().splitlines()[-1])
    return whole, inner[0], inner[1]
