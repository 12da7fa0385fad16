"""The tasks by name, as the command line knows them: how files are read, and what task they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from bertlib.data.examples import (
    ChoiceExample,
    IntentExample,
    QuestionExample,
    TaggedExample,
    TextExample,
)
from bertlib.data.story.tasks import STORY_TASKS, story_task
from bertlib.errors import CorpusError, InputError
from bertlib.finetune import reading
from bertlib.finetune.choice import ChoiceTask
from bertlib.finetune.classification import ClassificationTask, RegressionTask
from bertlib.finetune.joint import IntentTask
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.reading.opening import nearest, neighbours
from bertlib.finetune.splits import WORDS, split_file
from bertlib.finetune.tagging import TaggingTask
from bertlib.finetune.task import Task

STORY = "story-"  # before the name of a task of the story world
STORY_SIZES = {"train": 800, "dev": 400, "test": 400}  # examples, where nobody says another number


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Where things stand in files that leave it to their authors.

    Attributes:
        text: the column with the text.
        pair: the column with the second text.
        label: the column with the label; None: there is none.
        header: whether the first line names the columns.
        word: the column of the words, for tagging.
        tag: the column of the tags; None: there is none.
        language: "en" or "zh": how answers are compared.
    """

    text: str = "text"
    pair: str | None = None
    label: str | None = "label"
    header: bool = True
    word: int = 0
    tag: int | None = -1
    language: Literal["en", "zh"] = "en"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


Read = Callable[[Path, Columns], list[Any]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """One name of the command line.

    Attributes:
        about: what is read, for people.
        task: makes the task from the training examples.
        read: reads one file.
        endings: of the files to look for in a folder.
        read_split: reads a split of a folder, or what is named itself; None if there is none.
        is_split: is this one split already, and no folder of several?
        splits: that there may be.
        official: what predictions end in that official scripts read, see :func:`reading.write_predictions`.
    """

    about: str
    task: Callable[[Sequence[Any], Columns], Task]
    read: Read | None = None
    endings: tuple[str, ...] = ()
    read_split: Callable[[Path, str, Columns], list[Any] | None] | None = None
    is_split: Callable[[Path], bool] = Path.is_file
    splits: tuple[str, ...] = tuple(WORDS)
    official: str = ""


def table(path: Path, columns: Columns, *, numeric: bool = False) -> list[TextExample]:
    """Read a table by named columns."""
    return reading.read_table(
        path,
        text=columns.text,
        pair=columns.pair,
        label=columns.label,
        header=columns.header,
        numeric=numeric,
    )


def glue_format(name: str, split: str | None = None) -> Format:
    """Return the format of one GLUE task; ``split`` is what it calls its dev set."""
    known = reading.GLUE[name]

    def read_split(source: Path, asked: str, columns: Columns) -> list[Any] | None:
        wanted = f"{asked}_{split}" if split and asked in ("dev", "test") else asked
        inner = source / name if (source / name).is_dir() else source
        if source.is_dir() and asked == "dev" and not any(inner.glob(known.splits[wanted] + ".tsv*")):
            return None
        return reading.read_glue(name, source, wanted, labels=columns.label is not None)

    def task(examples: Sequence[Any], columns: Columns) -> Task:
        if not known.labels:
            return RegressionTask()
        return ClassificationTask(labels=known.labels, metric=known.metric)  # type: ignore[arg-type]

    return Format(
        about=f"GLUE's {name}: its folder or a file of it{f', held out is dev_{split}' if split else ''}",
        task=task, read_split=read_split, splits=tuple(known.splits), official=".tsv",
    )  # fmt: skip


def story_format(name: str) -> Format:
    """Return the format of one task of the story world, which is made up and needs no files."""

    def read_split(folder: Path, split: str, columns: Columns) -> list[Any]:
        return story_task(name, split=split, size=STORY_SIZES[split], seed=0, language=columns.language)

    return Format(
        about=f"{name} in the story world: no files", task=task_of, read_split=read_split,
        official=".json" if name == "questions" else "",
    )  # fmt: skip


def task_of(examples: Sequence[Any], columns: Columns) -> Task:
    """Return the task that suits the kind of the examples.

    Raises:
        InputError: there are no examples.
    """
    if not examples:
        raise InputError("no examples; expected at least one (is the file empty?)")
    first = examples[0]
    if isinstance(first, QuestionExample):
        return QuestionTask.of(examples, language=columns.language)
    if isinstance(first, TextExample) and isinstance(first.label, float):
        return RegressionTask()
    kinds = {
        TextExample: ClassificationTask,
        TaggedExample: TaggingTask,
        ChoiceExample: ChoiceTask,
        IntentExample: IntentTask,
    }
    return kinds[type(first)].of(examples)  # type: ignore[attr-defined]


def is_intents(source: Path) -> bool:
    """Is this one split of intents, and no folder of several?"""
    return source.is_file() or any(source.glob("seq.in*"))


def intents_split(source: Path, split: str, columns: Columns) -> list[Any] | None:
    """Read one split of a folder with a folder for each (Snips), or a folder that is one, or its seq.in."""
    if not is_intents(source):
        source /= "valid" if split == "dev" and (source / "valid").is_dir() else split
        if split == "dev" and not source.is_dir():
            return None
    return reading.read_intents(source, labels=columns.label is not None)


FORMATS: dict[str, Format] = {
    "classify": Format(
        about="texts or pairs in classes: a CSV, TSV or JSONL with --text, --pair and --label",
        task=task_of, read=table, endings=(".csv", ".tsv", ".jsonl"),
    ),
    "regress": Format(
        about="texts or pairs with a number: a CSV, TSV or JSONL",
        task=lambda examples, columns: RegressionTask(),
        read=lambda path, columns: table(path, columns, numeric=True), endings=(".csv", ".tsv", ".jsonl"),
    ),
    "imdb": Format(
        about="a folder a class, a text a file: a folder or a tar", task=task_of,
        read_split=lambda source, split, columns: reading.read_reviews(
            source, split, labels=columns.label is not None
        ),
        is_split=lambda source: source.is_file() or reading.holds_classes(source),
    ),
    "tag": Format(
        about="a word and its tag a line, a blank line between sentences (CoNLL)", task=task_of,
        read=lambda path, columns: reading.read_columns(path, word=columns.word, tag=columns.tag),
        endings=(".conll", ".txt", ".tsv", ".bio", ".annotated", "train", "testa", "testb"),
    ),
    "squad": Format(
        about="questions about contexts: SQuAD's JSON, 1.1 or 2.0", task=task_of, endings=(".json",),
        read=lambda path, columns: reading.read_squad(path), official=".json",
    ),
    "cmrc": Format(
        about="Chinese questions in SQuAD's layout (CMRC 2018)", endings=(".json",),
        task=lambda examples, columns: QuestionTask(language="zh", max_answer=80),
        read=lambda path, columns: reading.read_squad(path), official=".json",
    ),
    "swag": Format(
        about="four endings of a sentence: SWAG's CSV", task=task_of, endings=(".csv",),
        read=lambda path, columns: reading.read_swag(path),
    ),
    "codah": Format(
        about="four endings: CODAH's TSV", task=task_of, endings=(".tsv",),
        read=lambda path, columns: reading.read_codah(path),
    ),
    "copa": Format(
        about="cause or effect: COPA's JSON Lines", task=task_of, endings=(".jsonl",),
        read=lambda path, columns: reading.read_copa(path),
    ),
    "comve": Format(
        about="why is it nonsense? ComVE's folder", task=task_of,
        read_split=lambda source, split, columns: reading.read_comve_split(
            source, split, labels=columns.label is not None
        ),
    ),
    "intents": Format(
        about="intent and slots: folders with seq.in, seq.out and label (Snips)",
        task=task_of, read_split=intents_split, is_split=is_intents,
    ),
    **{name.lower().replace("-", ""): glue_format(name) for name in reading.GLUE},
    "mnli-mm": glue_format("MNLI", "mismatched"),
    **{STORY + name: story_format(name) for name in STORY_TASKS},
}  # fmt: skip


def suited_model(name: str, language: str) -> str:
    """Return the shipped model that knows the words of a task."""
    if name.startswith(STORY) and language == "en":
        return "tiny-stories"
    return "tiny-zh" if language == "zh" or name == "cmrc" else "mini-books"


def format_of(name: str) -> Format:
    """Return the format of this name.

    Raises:
        InputError: there is none.
    """
    if name not in FORMATS:
        raise InputError(
            f"no task is called {name!r}; there are {', '.join(FORMATS)}{nearest(name, list(FORMATS))}"
        )
    return FORMATS[name]


def looked_for(name: str, folder: Path | None) -> str:
    """Say in brackets what the files of a task end in, and what a folder holds instead."""
    endings = format_of(name).endings
    wanted = f"expected a name that ends in {' or '.join(endings)}, also .gz or .xz; " if endings else ""
    return f"({wanted}{neighbours(Path(folder or '.').expanduser())})"


def read_examples(name: str, source: Path | None, split: str, columns: Columns) -> list[Any] | None:
    """Read a split of a task.

    Args:
        name: of the task.
        source: a folder, or what the format calls one split; None: only for tasks of the story world.
        split: "train", "dev" or "test"; of MNLI also such as "dev_mismatched".
        columns: where things stand in the files.

    Returns:
        The examples; None if the folder has no such split.

    Raises:
        InputError: an unknown task or split, no source where one is needed, or one where none is.
        CorpusError: as the reader.
    """
    known = format_of(name)
    if split not in known.splits:
        raise InputError(f"no split is called {split!r}; expected {', '.join(known.splits)}")
    if source is None and not name.startswith(STORY):
        raise InputError(f"{name} needs data; expected {known.about}")
    if source is not None and name.startswith(STORY):
        raise InputError(f"{name} is made up and reads no files; leave out {source}")
    source = Path(source or ".").expanduser()
    if not source.exists():
        raise CorpusError(f"there is no file or folder {source}; is the path spelt right?")
    if known.read is None:
        assert known.read_split is not None
        return known.read_split(source, split, columns)
    if source.is_file():
        return known.read(source, columns)
    found = split_file(source, split, known.endings)
    return known.read(found, columns) if found else None
