"""The kinds of tasks by their names, for folders that remember theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bertlib.errors import CheckpointError
from bertlib.finetune.choice import ChoiceTask
from bertlib.finetune.classification import ClassificationTask, RegressionTask
from bertlib.finetune.joint import IntentTask
from bertlib.finetune.qa import QuestionTask
from bertlib.finetune.tagging import TaggingTask
from bertlib.finetune.task import Task

KINDS: dict[str, Any] = {
    kind.kind: kind
    for kind in (ClassificationTask, RegressionTask, TaggingTask, ChoiceTask, IntentTask, QuestionTask)
}


def task_from_dict(kind: str, fields: Mapping[str, Any], *, source: str) -> Task:
    """Make a task of what :meth:`Task.to_dict` gave.

    Raises:
        CheckpointError: no such kind, or fields it does not have.
    """
    if kind not in KINDS:
        raise CheckpointError(f"{source}: the kind of task is {kind!r}; expected one of {', '.join(KINDS)}")
    try:
        given = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
        return KINDS[kind](**given)
    except (TypeError, AttributeError) as error:
        raise CheckpointError(f"{source} describes no {kind}: {error}; copy the folder again") from None
