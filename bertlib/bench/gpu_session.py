"""Everything that wants a GPU, in one command that ends in time: tests, speeds, and the model to ship.

::

    python -m bertlib.bench.gpu_session --out OUT --minutes 9 --part tests,speed,sweep
    python -m bertlib.bench.gpu_session --out OUT --minutes 9 --part ship --texts texts/train.txt \
        --valid texts/valid.txt
    python -m bertlib.bench.gpu_session --out OUT --minutes 9 --rehearse

Each part is a process of its own with its own limit; what fails does not stop the rest, and a part for which
too little time is left is not begun. OUT gets eight files at most, all in one folder: the results, under the
names that ``book/results`` knows; ``session.log``, what everybody said; ``summary.json``, what became of each
part; ``mini-books.zip``, the shipped model. Each is whole as soon as its part is done.

``--rehearse`` does the same on the CPU at toy sizes: every command runs once before a GPU waits for it.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from bertlib.bench.provenance import provenance, write_results
from bertlib.data.story import write_corpus
from bertlib.files import write_text

RESERVE = 20.0  # seconds at the end for what is not a part
GRACE = 60.0  # between Ctrl-C, at which a run is still shipped, and the end by force
SHIPPED, LOG, SUMMARY = "mini-books", "session.log", "summary.json"

TESTS = "pytest -q -p no:cacheprovider -o addopts=--import-mode=importlib tests/gpu"
ON_GPU, TOY = "--device cuda --precision bf16 --rounds 5", "--device cpu --vocab-size 300 --rounds 1"
SMALL = f"--preset tiny --batch-size 4 --max-length 16 --steps 1 {TOY}"
SHIP = "bertlib.bench.ship_run {texts} --run {work}/run --out {work}/shipped --name mini-books"
SHIP_TOY = "--preset tiny --steps 3 --batch-size 8 --vocab-size 400 --precision fp32 --device cpu"


class Part(NamedTuple):
    """One process of the session."""

    seconds: float  # the most it may take
    least: float  # with less time left it is not begun
    command: str  # after ``python -m``
    toy: str  # the same, to rehearse
    file: str = ""  # of its results


# The most valuable first.
PARTS = {
    "tests": Part(180, 30, TESTS, TESTS),
    "speed": Part(
        330,
        90,
        f"bertlib bench best-batch --models mini:128,base:128,base:512 --workers 8 {ON_GPU}",
        f"bertlib bench best-batch --models tiny:16 --most 256 {TOY}",
        "best-batch-gpu.json",
    ),
    "ship": Part(560, 240, SHIP + " --minutes {minutes} --device cuda", f"{SHIP} {SHIP_TOY}"),
    "sweep": Part(
        420,
        90,
        f"bertlib bench pretrain --sweep --steps 5 {ON_GPU}",
        f"bertlib bench pretrain --against transformers {SMALL}",
        "pretrain-speed-gpu.json",
    ),
    "ablate": Part(
        240,
        60,
        f"bertlib bench pretrain --ablate --preset mini --batch-size 512 --steps 5 {ON_GPU}",
        f"bertlib bench pretrain --ablate {SMALL}",
        "ablate-speed-gpu.json",
    ),
    "compiled": Part(
        360,
        120,
        f"bertlib bench best-batch --models mini:128,base:512 --compile {ON_GPU}",
        f"bertlib bench best-batch --models tiny:16 --most 256 {TOY}",
        "best-batch-compiled-gpu.json",
    ),
    "inference": Part(
        120,
        30,
        f"bertlib bench inference {ON_GPU}",
        f"bertlib bench inference --preset tiny --lengths 16 --batch-sizes 1 {TOY}",
        "inference-speed-gpu.json",
    ),
}


def command_of(part: Part, given: argparse.Namespace, work: Path) -> list[str]:
    """Return the words of a part's command, after ``python``."""
    texts = shlex.join([*given.texts, *(f"--valid={path}" for path in given.valid)])
    words = (part.toy if given.rehearse else part.command).format(
        texts=texts, work=shlex.quote(str(work)), minutes=given.ship_minutes
    )
    return ["-m", *shlex.split(words), *(["--save", str(given.out / part.file)] if part.file else [])]


def run_part(command: list[str], seconds: float, log: Path) -> int | str:
    """Run a part for so long at most, everything it says into the log; return how it ended."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false"}
    with log.open("a", encoding="utf-8") as said:
        print(f"\n===== {shlex.join(command)}", file=said, flush=True)
        process = subprocess.Popen(
            [sys.executable, *command], stdout=said, stderr=subprocess.STDOUT, env=environment,
            preexec_fn=own_group,
        )  # fmt: skip
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"stopped after {seconds:.0f} s"
        finally:
            end(process)


def own_group() -> None:
    """Begin a group of processes that can be ended together, and hear Ctrl-C also where a parent does not."""
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process that still runs to stop, as Ctrl-C does; then end it and its children by force."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run_session(names: Iterable[str], given: argparse.Namespace, work: Path) -> list[dict[str, Any]]:
    """Run parts in their order as long as there is time; write the summary after each.

    Args:
        names: of :data:`PARTS`.
        given: the command line.
        work: where the run to ship lies.
    """
    ends = time.monotonic() + 60 * given.minutes - RESERVE
    done: list[dict[str, Any]] = []
    for name in names:
        part, began = PARTS[name], time.monotonic()
        ended: int | str = "not begun: too little time left"
        command, left = command_of(part, given, work), ends - began - GRACE * (name == "ship")
        if left >= part.least or given.rehearse:
            most = part.seconds * (3 if given.rehearse else 1)
            ended = run_part(command, min(most, left), given.out / LOG)
        if part.file and (given.out / part.file).exists():
            as_in_the_book(given.out / part.file)
        if (work / "shipped" / SHIPPED / "card.json").exists():
            shutil.make_archive(str(given.out / SHIPPED), "zip", work / "shipped")
        seconds = round(time.monotonic() - began, 1)
        done.append({"part": name, "ended": ended, "seconds": seconds, "command": shlex.join(command)})
        origin = provenance("python -m bertlib.bench.gpu_session")
        write_results(given.out / SUMMARY, {"provenance": origin, "parts": done})
        print(f"{name:10}{seconds:>7} s  {ended}", flush=True)
    return done


def as_in_the_book(file: Path) -> None:
    """Let a results file name the place where it will lie, not that of this machine."""
    text = file.read_text(encoding="utf-8")
    write_text(file, text.replace(f"--save {shlex.quote(str(file))}", f"--save book/results/{file.name}"))


def marks(out: Path) -> list[str]:
    """Say what the speeds came to, in a few lines, where they were measured."""
    file = out / "best-batch-gpu.json"
    if not file.exists():
        return []
    lines = []
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
        kind = cell["cell"]
        for name, side in cell["sides"].items():
            more = "".join(f", {r['median']:.2f} times {other}" for other, r in side["ratios"].items())
            share = side["data_share"]
            data = "" if share is None else f", {share:.1%} for its data"
            lines.append(
                f"{kind['preset']} {kind['max_length']}: {name} {side['tokens_per_s']:,.0f} tokens/s at "
                f"{side['batch_size']:,}, {side['share_of_peak']:.1%} of peak{data}{more}"
            )
    return lines


def options() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="where the files go")
    parser.add_argument("--minutes", type=float, default=9.0, help="for all of it")
    parser.add_argument("--part", default="all", help="names with commas between them, or all")
    parser.add_argument("--texts", nargs="*", default=[], help="for ship, as in bertlib.bench.ship_run")
    parser.add_argument("--valid", nargs="*", default=[], help="held-out texts for ship")
    parser.add_argument("--ship-minutes", type=float, default=6.0, help="of training")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, at toy sizes")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, run, print the end of it."""
    parser = options()
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    everything = [name for name in PARTS if name != "ship" or given.texts or given.rehearse]
    names = everything if given.part == "all" else given.part.split(",")
    if not set(names) <= set(everything):
        parser.error(f"--part {given.part}: expected some of {', '.join(PARTS)}, with --texts for ship")
    with tempfile.TemporaryDirectory() as folder:
        if given.rehearse:
            os.environ["BERTLIB_GPU_TESTS_ON"] = "cpu"
            given.texts = [str(write_corpus(Path(folder) / "train.txt", megabytes=0.05, seed=0))]
        done = run_session(names, given, Path(folder))
    print("\n".join(marks(given.out)))
    sys.exit(0 if all(part["ended"] == 0 for part in done) else 1)


if __name__ == "__main__":
    main()
