"""Fine-tune a shipped model on the public tasks, and once more from random weights: one table.

::

    python -m bertlib.bench.task_table data/ --save book/results/tasks.json
    python -m bertlib.bench.task_table data/ --only CoLA RTE --seeds 0 --save some.json
    python -m bertlib.bench.task_table --save book/results/story-tasks.json

``data/`` holds the public data sets in folders named as below, in their official formats; without it, the
tasks of the story world are learned, which need no files. Results are added to the file task by task, so that
a run that was stopped goes on where it was. The column "random" is the same run from random weights: the
difference is what pre-training was good for.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertlib.bench.provenance import provenance, write_results
from bertlib.data.story.tasks import STORY_TASKS
from bertlib.device import pick_device
from bertlib.errors import BertlibError, InputError
from bertlib.finetune.ensemble import Spread, spread
from bertlib.finetune.formats import Columns, task_of
from bertlib.finetune.predicting import evaluate
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.reading import read_columns, read_squad
from bertlib.finetune.recipe import FineTuning
from bertlib.finetune.request import Data, Request, load_data, load_start
from bertlib.finetune.run import tuned_threshold
from bertlib.finetune.task import Inputs
from bertlib.finetune.training import fine_tune

STARTS = ("pretrained", "random")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        name: of the task, as `bertlib finetune` knows it.
        folder: below the data folder; "" for the story world.
        model: that is fine-tuned.
        epochs: passes; chosen once for each task by its size, not tuned on the scores.
        long: a run takes more than ten minutes on a slow core: one seed.
        load: reads the data where `bertlib finetune` would not find them by itself.
        columns: where things stand in a table.
        note: what a reader has to know.
    """

    name: str
    folder: str = ""
    model: str = "mini-books"
    epochs: int = 3
    long: bool = False
    load: Callable[[Path], Data] | None = None
    columns: Columns = field(default_factory=Columns)
    note: str = ""


def wnut(folder: Path) -> Data:
    """Read WNUT-17: its dev set decides, as everywhere in the table."""
    train = list(read_columns(folder / "wnut17train.conll.xz"))
    return Data(task_of(train, Columns()), train, list(read_columns(folder / "emerging.dev.conll.xz")))


def squad(folder: Path, *, questions: int = 30_000) -> Data:
    """Read SQuAD 1.1; so many of its training questions, drawn by seed 0, make a run short enough."""
    train, dev = (list(read_squad(folder / f"{name}-v1.1.json.xz")) for name in ("train", "dev"))
    return Data(QuestionTask(stride=64), random.Random(0).sample(train, questions), dev)


def squad2(folder: Path, *, answered: int = 15_000) -> Data:
    """Read what there is of SQuAD 2.0: its dev set in two parts, and questions of 1.1 to train on as well."""
    dev_file = folder / "dev-v2.0.json.xz"
    titles = json.loads((folder / "split_suggestion.json").read_text(encoding="utf-8"))
    parts = [read_squad(dev_file, titles=names) for names in title_lists(titles)]
    older = read_squad(folder.parent / "squad_v1.1" / "train-v1.1.json.xz")
    return Data(
        QuestionTask(stride=64, no_answer=True),
        [*parts[0], *random.Random(0).sample(older, answered)],
        list(parts[1]),
    )


def title_lists(titles: dict[str, Any]) -> list[list[str]]:
    """Return the titles to train on and those to mark, the longer list first."""
    lists = [value for value in titles.values() if isinstance(value, list)]
    return sorted(lists, key=len, reverse=True)[:2]


def cmrc(folder: Path) -> Data:
    """Read CMRC 2018, whose training file is not at hand: dev to train on, trial to mark."""
    train, dev = (list(read_squad(folder / f"cmrc2018_{name}.json.xz")) for name in ("dev", "trial"))
    return Data(QuestionTask(stride=64, language="zh", max_answer=80), train, dev)


ROWS: dict[str, Row] = {
    "SST-2": Row(name="sst2", folder="glue/SST-2"),
    "CoLA": Row(name="cola", folder="glue/CoLA", epochs=5),
    "MRPC": Row(name="mrpc", folder="glue/MRPC", epochs=5),
    "RTE": Row(name="rte", folder="glue/RTE", epochs=5),
    "STS-B": Row(name="stsb", folder="glue/STS-B", epochs=5),
    "WNUT-17": Row(name="tag", folder="wnut17", epochs=10, load=wnut),
    "SQuAD 1.1": Row(
        name="squad", folder="squad_v1.1", epochs=1, long=True, load=squad,
        note="30,000 of the 87,599 training questions",
    ),
    "SQuAD 2.0": Row(
        name="squad", folder="squad_v2.0", epochs=1, load=squad2,
        note="27 of its dev articles and 15,000 questions of SQuAD 1.1 to train on, 8 articles to mark: not "
        "comparable with published scores",
    ),
    "CMRC 2018": Row(
        name="cmrc", folder="cmrc2018", model="tiny-zh", epochs=2, load=cmrc,
        note="its dev set to train on, its trial set to mark: not comparable with published scores",
    ),
    "CODAH": Row(name="codah", folder="codah/cv_split/fold_0", epochs=5, note="fold 0 of five"),
    "Snips": Row(name="intents", folder="snips", epochs=5),
    "hotel reviews": Row(
        name="classify", folder="chinese_sentiment/ChnSentiCorp_htl_all.csv.xz", model="tiny-zh",
        columns=Columns(text="review"), note="a tenth set aside by seed 0, there is no official split",
    ),
}  # fmt: skip

STORY_ROWS: dict[str, Row] = {
    name: Row(name=f"story-{name}", model="tiny-stories", epochs=6) for name in STORY_TASKS
}


def load_row(row: Row, data: Path | None) -> Data:
    """Read a task's examples."""
    if data is not None and row.load:
        return row.load(data / row.folder)
    source = data / row.folder if data is not None else None
    return load_data(Request(name=row.name, out=Path(), data=source, columns=row.columns))


def measure(row: Row, data: Data, *, start: str, seed: int, device: str, progress: bool) -> dict[str, Any]:
    """Fine-tune once and return scores, seconds and the recipe."""
    began = time.perf_counter()
    request = Request(
        name=row.name, out=Path(), model=row.model, scratch=start == "random", changes={"seed": seed}
    )
    body, tokenizer = load_start(request)
    recipe = FineTuning.for_model(body.config, epochs=row.epochs, seed=seed)
    tuned = fine_tune(
        data.task,
        body,
        tokenizer,
        data.train,
        data.dev,
        recipe,
        device=pick_device(device),
        progress=progress,
    )
    task, scores = data.task, tuned.best.scores
    if isinstance(task, QuestionTask) and task.no_answer:
        inputs = Inputs(data.dev, tokenizer, recipe.max_length)
        task, scores = tuned_threshold(task, tuned.model, inputs)
        plain = evaluate(
            tuned.model, data.task, tokenizer, data.dev, max_length=recipe.max_length
        )  # the threshold was chosen on these very questions: say what it is without
        scores = scores | {f"threshold_0_{name}": value for name, value in plain.items()}
    return {
        "seed": seed,
        "scores": {name: round(value, 5) for name, value in scores.items()},
        "best_epoch": tuned.best.number,
        "seconds": round(time.perf_counter() - began, 1),
        "recipe": recipe.to_dict(),
    }


def as_json(found: Spread) -> dict[str, Any]:
    """Return a spread for JSON, which knows no NaN: one run has no deviation."""
    values = {"mean": found.mean, "sd": found.sd, "lowest": found.lowest, "highest": found.highest}
    return values | {"sd": None if found.runs == 1 else found.sd, "count": found.runs}


def add(file: Path, title: str, values: dict[str, Any], command: str) -> None:
    """Put one task's line into the file, beside those that are there."""
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    found.setdefault("provenance", provenance(command))
    found.setdefault("tasks", {})[title] = values
    write_results(file, found)


def run(
    data: Path | None,
    rows: Mapping[str, Row],
    seeds: Sequence[int],
    file: Path,
    *,
    device: str,
    progress: bool = True,
) -> None:
    """Measure the tasks that the file does not have yet."""
    for title, row in rows.items():
        done = json.loads(file.read_text(encoding="utf-8"))["tasks"] if file.exists() else {}
        if title in done:
            continue
        loaded = load_row(row, data)
        chosen = seeds[:1] if row.long else seeds
        values: dict[str, Any] = {
            "model": row.model, "metric": loaded.task.best, "epochs": row.epochs, "note": row.note,
            "examples": [len(loaded.train), len(loaded.dev)],
        }  # fmt: skip
        for start in STARTS:
            runs = [
                measure(row, loaded, start=start, seed=seed, device=device, progress=progress)
                for seed in chosen
            ]
            found = spread([one["scores"][loaded.task.best] for one in runs])
            values[start] = {"runs": runs, **as_json(found)}
            print(f"{title}, {start}: {loaded.task.best} {found}", file=sys.stderr, flush=True)
        name = "data/ --save book/results/tasks.json" if data else "--save book/results/story-tasks.json"
        add(file, title, values, f"python -m bertlib.bench.task_table {name}")


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, nargs="?", help="folder with the public data sets; none: stories")
    parser.add_argument("--only", nargs="+", help=f"of {', '.join(ROWS)}, or of {', '.join(STORY_ROWS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--save", type=Path, required=True, help="JSON that is added to")
    parser.add_argument("--device", default="auto")
    given = parser.parse_args(arguments)
    try:
        rows = ROWS if given.data else STORY_ROWS
        unknown = [title for title in given.only or () if title not in rows]
        if unknown:
            raise InputError(f"there is no task {unknown[0]!r} in the table; it has {', '.join(rows)}")
        chosen = {title: rows[title] for title in given.only or rows}
        run(given.data, chosen, given.seeds, given.save, device=given.device)
    except BertlibError as error:
        sys.exit(f"task_table: {error}")


if __name__ == "__main__":
    main()
