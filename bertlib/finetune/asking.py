"""Typed words as examples: what somebody asks a fine-tuned model on the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bertlib.data.examples import (
    ChoiceExample,
    IntentExample,
    QuestionExample,
    TaggedExample,
    TextExample,
)
from bertlib.errors import CorpusError, InputError
from bertlib.finetune.choice import ChoiceTask
from bertlib.finetune.classification import ClassificationTask, RegressionTask
from bertlib.finetune.folder import FineTunedModel
from bertlib.finetune.formats import Columns, looked_for, read_examples
from bertlib.finetune.joint import IntentTask, Understood
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.reading import read_predictions
from bertlib.finetune.tagging import TaggingTask
from bertlib.finetune.task import Task
from bertlib.finetune.telling import counted, cut

WIDTH = 80  # characters of what was asked, in a line about it
# a word, a sign, or a character of Chinese or Japanese
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]")
# the JSON of each kind of verdict
SHAPES: dict[str, tuple[type, ...]] = {
    "classification": (str,), "regression": (float, int), "tagging": (list,), "choice": (int,),
    "intents": (dict,), "question": (str,),
}  # fmt: skip


def typed(task: Task, text: str, others: Sequence[str]) -> Any:
    """Make an example of typed words.

    Args:
        task: decides what they mean.
        text: the text; the question; the beginning of several ends.
        others: a second text; the context of the question; the ends.

    Raises:
        InputError: words that are missing, or too many, for this kind of task.
    """
    if isinstance(task, QuestionTask) and len(others) == 1:
        return QuestionExample(text, others[0], name="typed")
    if isinstance(task, ChoiceTask) and len(others) == task.choices:
        return ChoiceExample(text, tuple(others), name="typed")
    if isinstance(task, ClassificationTask | RegressionTask) and len(others) <= 1:
        return TextExample(text, others[0] if others else None, name="typed")
    if isinstance(task, TaggingTask) and not others:
        return TaggedExample(tuple(WORD.findall(text)), name="typed")
    if isinstance(task, IntentTask) and not others:
        return IntentExample(tuple(WORD.findall(text)), name="typed")
    raise InputError(f"{counted(len(others), 'time')} --and beside --text; {wanted(task)}")


def wanted(task: Task) -> str:
    """Say what a task wants to be told."""
    if isinstance(task, QuestionTask):
        return "expected the question with --text and its context with --and"
    if isinstance(task, ChoiceTask):
        return f"expected the beginning with --text and {task.choices} ends with --and"
    if isinstance(task, ClassificationTask | RegressionTask):
        return "expected a text with --text, and its second text, if there is one, with --and"
    return "expected a text with --text alone"


def read_for(tuned: FineTunedModel, source: Path | None, split: str, *, labels: bool) -> list[Any]:
    """Read examples in the format a model was trained with.

    Args:
        tuned: remembers its format.
        source: a file, or a folder with this split.
        split: "dev" or "test".
        labels: whether their labels are needed; a file may lack the column otherwise.

    Raises:
        InputError, CorpusError: as the readers; no such split; a model that remembers no format.
    """
    name = tuned.facts.get("name")
    if name is None:
        raise InputError("the model does not say how its data was read; ask it with --text, or in Python")
    columns = Columns(**tuned.facts.get("columns", {}))
    if not labels:
        columns = replace(columns, label=None, tag=None)
    found = read_examples(name, source, split, columns)
    if found is None:
        raise InputError(
            f"{source} has no file for {split!r}; name the file itself {looked_for(name, source)}"
        )
    return found


def adjusted(tuned: FineTunedModel, **changes: Any) -> FineTunedModel:
    """Change how answers are chosen: ``null_threshold`` and ``n_best``; None changes nothing.

    Raises:
        InputError: for another kind of task, or a threshold where every question is answered.
        ConfigError: a number out of its range.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    if not given:
        return tuned
    if not isinstance(tuned.task, QuestionTask):
        raise InputError(
            f"--threshold and --n-best are for questions, and this is {tuned.task.kind}; leave them out"
        )
    if "null_threshold" in given and not tuned.task.no_answer:
        raise InputError("--threshold is for models that may answer nothing (SQuAD 2.0); leave it out")
    return replace(tuned, task=replace(tuned.task, **given))


def plain(verdict: Any) -> Any:
    """Return a verdict as JSON can hold it."""
    return verdict._asdict() if hasattr(verdict, "_asdict") else verdict


def read_verdicts(task: Task, path: Path, examples: Sequence[Any], *, name: str = "") -> list[Any]:
    """Read the predictions of ``bertlib predict --out`` as verdicts of a task; ``name`` is its name there.

    Raises:
        CorpusError: as :func:`read_predictions`; predictions of another kind of task.
    """
    found = read_predictions(path, examples, task=name)
    strange = [value for value in found if not isinstance(value, SHAPES[task.kind])]
    if strange:
        raise CorpusError(
            f"{path} predicts {str(strange[0])[:40]!r}, and this is {task.kind}; is it another task's file?"
        )
    return [Understood(one["intent"], tuple(one["slots"])) if isinstance(one, dict) else one for one in found]


def line_of(example: Any, verdict: Any, more: dict[str, Any]) -> str:
    """Return one line for people: what was asked, what was said, how sure it was."""
    shares: Any = more.get("probabilities")
    if isinstance(example, TaggedExample):
        return " ".join(
            word if tag == "O" else f"{word}/{tag}" for word, tag in zip(example.words, verdict, strict=True)
        )
    if isinstance(example, IntentExample):
        filled = ", ".join(f"{kind}: {words}" for kind, words in more["filled"].items())
        return f"{verdict.intent} ({shares[verdict.intent]:.1%}){'  ' + filled if filled else ''}"
    if isinstance(example, QuestionExample):
        return f"{verdict or '(no answer)'}  {cut(example.question, WIDTH)}"
    if isinstance(example, ChoiceExample):
        end = cut(example.choices[verdict], WIDTH // 2)
        return f"{verdict}: {end} ({shares[verdict]:.1%})  {cut(example.prompt, WIDTH // 2)}"
    said = f"{verdict} ({shares[verdict]:.1%})" if shares else f"{verdict:.2f}"
    if example.second is None:
        return f"{said}  {cut(example.first, WIDTH)}"
    return f"{said}  {cut(example.first, WIDTH // 2)} | {cut(example.second, WIDTH // 2)}"
