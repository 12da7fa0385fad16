"""Read tables of tasks: learned from two starts, or passages found for questions. See :mod:`measured`."""

from __future__ import annotations

from learned import share_bar
from sheets import Bar, Figure, Group, Json, Sheet, Table

NAMES = {"pretrained": "from pre-trained weights", "random": "from random weights"}
METRICS = {
    "accuracy": "right",
    "matthews": "Matthews' correlation",
    "spearman": "Spearman's correlation",
    "f1": "F1",
    "exact": "all of it right",
}
HEAD = ("", "measured", "to train on", "held out", *NAMES.values(), "gain", "seeds", "")


def table(found: Json) -> Sheet:
    """Read all tasks: bars with their spread over the seeds, and the numbers."""
    tasks = found["tasks"]
    groups = tuple(
        Group(title=f"{title}: {METRICS[task['metric']]}", bars=tuple(bar(task, key) for key in NAMES))
        for title, task in tasks.items()
    )
    rows = tuple(row(title, task) for title, task in tasks.items())
    return Sheet(
        figures=(Figure(groups=groups, share=True),), tables=(Table(head=HEAD, sections=(("", rows),)),)
    )


def bar(task: Json, key: str) -> Bar:
    """Return one start's mean, with its lowest and highest seed."""
    values = task[key]
    low, high = values["lowest"], values["highest"]
    return Bar(name=NAMES[key], value=values["mean"], low=low, high=high, baseline=key == "random")


def row(title: str, task: Json) -> tuple[str | float | int, ...]:
    """Return the numbers of one task, in hundredths."""
    means = [100 * task[key]["mean"] for key in NAMES]
    sizes, seeds = task["examples"], task["pretrained"]["count"]
    return (title, METRICS[task["metric"]], *sizes, *means, means[0] - means[1], seeds, task["note"])


def retrieval(found: Json) -> Sheet:
    """Read how often each way of searching finds the right paragraph (:mod:`bertlib.bench.retrieval`)."""
    counts, parts = found["questions"], found["retrieval"]
    groups = tuple(
        Group(
            title=f"right paragraph first, {counts[part]:,} questions",
            bars=tuple(
                share_bar(name, row["recall@1"], baseline=name == "words (BM25)")
                for name, row in rows.items()
            ),
        )
        for part, rows in parts.items()
    )
    measures = list(next(iter(parts["all"].values())))
    sections = tuple(
        (
            f"{counts[part]:,} questions, {found['paragraphs']:,} paragraphs",
            tuple((name, *(row[key] for key in measures)) for name, row in rows.items()),
        )
        for part, rows in parts.items()
    )
    likeness = Table(
        head=("vectors of sentences", "Spearman, STS-B"),
        sections=(("", tuple(found["sts_dev_spearman"].items())),),
    )
    return Sheet(
        figures=(Figure(groups=groups, share=True),),
        tables=(Table(head=("", *measures), sections=sections), likeness),
    )
