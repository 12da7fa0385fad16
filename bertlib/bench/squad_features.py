"""How long do the features of SQuAD take, and how much memory beyond themselves?

::

    python -m bertlib.bench.squad_features train-v1.1.json --save book/results/squad-features.json

Each size is measured in a new process that is given the questions and nothing else, so that memory left over
from reading the file does not hide what the features need. Quote processor time: other jobs on the machine
disturb it little.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from bertlib.bench.memory import highest_resident
from bertlib.bench.provenance import provenance, write_results
from bertlib.data.examples import QuestionExample
from bertlib.errors import BertlibError, ConfigError
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.reading.squad import read_squad
from bertlib.finetune.task import Inputs
from bertlib.store import load_pretrained
from bertlib.tokenizer import WordPieceTokenizer

WARM_UP = 100  # questions before the clock runs: everything is imported, and the tokeniser has its tables
STEP = 10_000  # questions from one measurement to the next


@dataclass(frozen=True, kw_only=True)
class FeatureCost:
    """What the first questions of a file cost; megabytes of 10^6 bytes."""

    questions: int
    contexts: int
    windows: int
    without_answer: int  # windows of answerable questions that do not hold the answer
    skipped: int
    widened: int
    seconds: float  # processor time
    wall_s: float
    output_mb: float  # of the features' own arrays
    beyond_mb: float  # what the process grew by at its peak, beyond these

    def line(self) -> str:
        """Return a row of the table."""
        return (
            f"{self.questions:>9,} {self.contexts:>9,} {self.windows:>9,} {self.without_answer:>15,} "
            f"{self.seconds:>7.1f} {self.wall_s:>7.1f} {self.output_mb:>8.1f} {self.beyond_mb:>8.1f}"
        )


HEAD = " questions  contexts   windows  without answer   cpu s  wall s   own MB  more MB"


def measure(
    examples: Sequence[QuestionExample], tokenizer: WordPieceTokenizer, max_length: int
) -> FeatureCost:
    """Make the features in this process, once.

    Args:
        examples: with answers.
        tokenizer: of the model.
        max_length: pieces a row.
    """
    task = QuestionTask.of(examples)
    task.counted(Inputs(examples[:WARM_UP], tokenizer, max_length))
    before = psutil.Process().memory_info().rss
    forget_peak()
    wall, began = time.perf_counter(), time.process_time()
    features, counts = task.counted(Inputs(examples, tokenizer, max_length))
    seconds, wall = time.process_time() - began, time.perf_counter() - wall
    own = [features.ids, features.starts, features.firsts, *features.labels.values()]
    output = sum(array.nbytes for array in own)
    return FeatureCost(
        questions=len(examples),
        contexts=len({one.context for one in examples}),
        windows=counts.windows,
        without_answer=counts.without_answer,
        skipped=counts.skipped,
        widened=counts.widened,
        seconds=seconds,
        wall_s=wall,
        output_mb=output / 1e6,
        beyond_mb=(highest_resident() - before - output) / 1e6,
    )


def forget_peak() -> None:
    """Let the system count the highest resident size afresh, where it can (Linux)."""
    switch = Path("/proc/self/clear_refs")
    if switch.exists():
        switch.write_text("5")


def bench_features(
    examples: Sequence[QuestionExample],
    tokenizer: WordPieceTokenizer,
    *,
    max_length: int = 384,
    step: int = STEP,
) -> list[FeatureCost]:
    """Measure the first ``step`` questions, twice as many, … and all of them.

    Raises:
        ConfigError: a step below 1.
    """
    if step < 1:
        raise ConfigError(f"the step is {step}; expected at least 1 question")
    sizes = [*range(step, len(examples), step), len(examples)]
    costs = []
    for size in sizes:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            costs.append(pool.apply(measure, (list(examples[:size]), tokenizer, max_length)))
    return costs


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print a table, save the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path, help="questions in SQuAD's layout: .json, .json.gz or .json.xz")
    parser.add_argument("--model", default="mini-books", help="whose vocabulary: a shipped model or a folder")
    parser.add_argument("--max-length", type=int, default=384, help="pieces a row")
    parser.add_argument("--step", type=int, default=STEP, help="questions from one measurement to the next")
    parser.add_argument("--save", type=Path, help="JSON for the results")
    given = parser.parse_args(arguments)
    try:
        tokenizer = load_pretrained(given.model)[1]
        examples = read_squad(given.file)
        costs = bench_features(examples, tokenizer, max_length=given.max_length, step=given.step)
    except BertlibError as error:
        sys.exit(f"squad_features: {error}")
    print(HEAD, *(cost.line() for cost in costs), sep="\n")
    if given.save:
        facts = {"max_length": given.max_length, "vocab_size": len(tokenizer)}
        sizes = {"rows": [asdict(cost) for cost in costs]}
        source = {"provenance": provenance(command(given), device="cpu")}
        write_results(given.save, source | facts | sizes)


def command(given: argparse.Namespace) -> str:
    """Return the command line that gives these results again, with paths that belong to no machine."""
    words = ["python -m bertlib.bench.squad_features", given.file.name]
    for name, usual in (("model", "mini-books"), ("max_length", 384), ("step", STEP)):
        value = getattr(given, name)
        if value != usual:
            words.append(f"--{name.replace('_', '-')} {Path(str(value)).name}")
    return " ".join(words)


if __name__ == "__main__":
    main()
