"""Read a table of tasks, each learned from two starts. See :mod:`measured`."""

from __future__ import annotations

from learned import STARTS
from sheets import Bar, Figure, Group, Json, Sheet, Table

NAMES = {"pretrained": STARTS["pretrained"], "random": STARTS["scratch"]}
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
