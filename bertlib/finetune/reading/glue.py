"""The nine tasks of GLUE (Wang et al. 2018), read from the files as the benchmark publishes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bertlib.data.examples import TextExample
from bertlib.errors import CorpusError, InputError
from bertlib.finetune.reading.opening import find_split, listed, nearest, open_text, some
from bertlib.finetune.reading.rows import read_rows
from bertlib.finetune.reading.tables import as_label

YES_NO = ("0", "1")
ENTAILMENT = ("entailment", "not_entailment")
NO_MAJORITY = "-"  # MNLI's gold label where no three of five people agreed


@dataclass(frozen=True, kw_only=True)
class GlueTask:
    """What one task's files look like.

    Attributes:
        name: as the benchmark spells it; also the name of the folder.
        first: the column with the sentence, or the first of two.
        second: the column with the second sentence; None where there is one.
        label: the column with the label.
        labels: all labels, in order, the first standing for number 0; empty where they are numbers.
        metric: the function of :mod:`bertlib.finetune.metrics` that marks it.
        splits: what each file is called, without ``.tsv``.
        columns: their names, where files with labels have no header.
        skip_broken: leave out rows of another length than the header.
    """

    name: str
    first: str = "sentence1"
    second: str | None = "sentence2"
    label: str = "label"
    labels: tuple[str, ...] = YES_NO
    metric: str = "accuracy"
    splits: Mapping[str, str] = field(
        default_factory=lambda: {name: name for name in ("train", "dev", "test")}
    )
    columns: tuple[str, ...] = ()
    skip_broken: bool = False


TASKS = (
    GlueTask(
        name="CoLA",
        first="sentence",
        second=None,
        metric="matthews",
        columns=("source", "label", "judgement", "sentence"),
    ),
    GlueTask(name="SST-2", first="sentence", second=None),
    GlueTask(name="MRPC", first="#1 String", second="#2 String", label="Quality", metric="accuracy_and_f1"),
    GlueTask(name="STS-B", label="score", labels=(), metric="correlations"),
    GlueTask(
        name="QQP",
        first="question1",
        second="question2",
        label="is_duplicate",
        metric="accuracy_and_f1",
        skip_broken=True,  # a line end in a question cuts its row; the usual readers pass over both pieces
    ),
    GlueTask(
        name="MNLI",
        label="gold_label",
        labels=("contradiction", "entailment", "neutral"),  # the order of google-research/bert
        splits={"train": "train", "dev": "dev_matched", "test": "test_matched"}
        | {name: name for name in ("dev_matched", "dev_mismatched", "test_matched", "test_mismatched")},
    ),
    GlueTask(name="QNLI", first="question", second="sentence", labels=ENTAILMENT),
    GlueTask(name="RTE", labels=ENTAILMENT),
    GlueTask(name="WNLI"),
)
GLUE: dict[str, GlueTask] = {task.name: task for task in TASKS}


def read_glue(task: str, source: str | Path, split: str = "", *, labels: bool = True) -> list[TextExample]:
    """Read one file of a GLUE task; two kinds of rows are left out.

    Those are rows without an agreed label (MNLI's "-"), and rows of QQP that a line end cuts in two.

    Args:
        task: a name in ``GLUE``, such as "SST-2".
        source: the benchmark's folder, which holds one folder a task; the task's own; or one file.
        split: of a folder: "train", "dev" or "test"; of MNLI also "dev_mismatched" and "test_mismatched".
        labels: False: they are not looked at, and a file may lack them.

    Returns:
        The examples, named by the file's ``index`` or ``id``, else counted from 0. Labels are numbers in
        STS-B; None in a folder's test set, and where they are not looked at.

    Raises:
        InputError: an unknown task or split.
        CorpusError: no such folder or file; a file of another layout; an unknown label, with its line.
    """
    known, path = glue_task(task), Path(source).expanduser()
    if not path.is_file():
        path, labels = glue_file(known, path, split), labels and not split.startswith("test")
    rows = read_rows(
        path,
        [column for column in (known.first, known.second, known.label if labels else None) if column],
        optional=("index", "id", known.label),
        delimiter="\t",
        header=known.columns if known.columns and not has_header(known, path) else True,
        skip_broken=known.skip_broken,
    )
    examples = [
        TextExample(
            first=values[known.first],
            second=values[known.second] if known.second else None,
            label=known_label(known, values[known.label], f"{path}, line {line}") if labels else None,
            name=values.get("index", values.get("id", str(number))),
        )
        for number, (line, values) in enumerate(rows)
        if values.get(known.label) != NO_MAJORITY
    ]
    return some(examples, path)


def glue_file(task: GlueTask, folder: Path, split: str) -> Path:
    """Return the file of a split in the benchmark's folder or the task's own.

    Raises:
        InputError: the task has no such split.
        CorpusError: the folder has no such file.
    """
    if split not in task.splits:
        raise InputError(f"{task.name} has no split {split!r}; it has {', '.join(task.splits)}")
    inner = folder / task.name
    return find_split(inner if inner.is_dir() else folder, task.splits[split] + ".tsv")


def has_header(task: GlueTask, path: Path) -> bool:
    """Does the first line of this file name its columns? In CoLA only files without labels have one."""
    with open_text(path) as lines:
        names = lines.readline().rstrip("\n").split("\t")
    return task.first in names and task.label not in names


def glue_task(name: str) -> GlueTask:
    """Return the task of this name.

    Raises:
        InputError: GLUE has none.
    """
    if name not in GLUE:
        raise InputError(f"GLUE has no task {name!r}; it has {', '.join(GLUE)}{nearest(name, list(GLUE))}")
    return GLUE[name]


def known_label(task: GlueTask, label: str, where: str) -> str | float | None:
    """Return a label, as a number in STS-B.

    Raises:
        CorpusError: it is none of the task's.
    """
    if task.labels and label not in task.labels:
        raise CorpusError(f"{where}: the label is {label!r}; expected {listed(task.labels)}")
    return as_label(label, where, numeric=not task.labels)
