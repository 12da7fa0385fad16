"""Which model may take the place of another: one of the same task, trained on the same data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bertlib.errors import CheckpointError
from bertlib.finetune.folder import TASK
from bertlib.finetune.labels import listed
from bertlib.finetune.request import Request
from bertlib.finetune.task import Task
from bertlib.model_folder import read_object

LABELS = ("labels", "tags", "intents", "slots", "choices")  # fields of tasks that must be the same


def source_of(request: Request) -> str | None:
    """Return the data's name, as a fine-tuned model remembers it; None: the story world.

    The name alone: a folder that is handed on should not tell where its maker keeps his files.
    """
    return None if request.data is None else request.data.expanduser().resolve().name


def check_same(request: Request) -> None:
    """See that no model of another task, other data or other columns is replaced; no data is read for it.

    Raises:
        CheckpointError: it would be; the first difference is named.
    """
    if not (request.out / TASK).exists():
        return
    facts = read_object(request.out / TASK)
    mine = {"task": request.name, "data": source_of(request), **request.columns.to_dict()}
    theirs = {**facts, **facts.get("columns", {}), "task": facts.get("name")}
    for what, value in mine.items():
        if theirs.get(what, value) != value:
            raise CheckpointError(refused(request.out, f"{what} {theirs[what]}", f"{what} {value}"))


def check_labels(out: Path, task: Task) -> None:
    """See that no model with other labels is replaced: the file may have changed since.

    Raises:
        CheckpointError: it would be.
    """
    if not (out / TASK).exists():
        return
    theirs, mine = read_object(out / TASK).get("task", {}), json.loads(json.dumps(task.to_dict()))
    for what in LABELS:
        if theirs.get(what) != mine.get(what):
            had, has = (f"{what} {few(fields.get(what))}" for fields in (theirs, mine))
            raise CheckpointError(refused(out, had, has))


def few(labels: Any) -> str:
    """Return labels, or a number of choices, for a message."""
    return listed(labels) if isinstance(labels, list) else str(labels)


def refused(out: Path, theirs: str, mine: str) -> str:
    """Return the message about a model that stays."""
    return f"{out} holds a model with {theirs}, and this one has {mine}; choose another folder with --out"
