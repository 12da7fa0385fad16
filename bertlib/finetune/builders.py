"""What is put on the body, by a word that a folder can remember: a head, adapters and a head, a BiLSTM."""

from __future__ import annotations

from typing import Any

from bertlib.errors import InputError
from bertlib.finetune.adapters import add_adapters
from bertlib.finetune.frozen import LAYERS, FrozenTagger
from bertlib.finetune.lora import add_lora
from bertlib.finetune.tagging import TaggingTask
from bertlib.finetune.task import Task
from bertlib.finetune.training import Build


def builder(spec: str, task: Task) -> Build:
    """Return what makes a body into a model for ``task``.

    Args:
        spec: "": the task's head, and all of it is trained; "adapters:16": adapters of size 16 in each block,
            the body frozen (Houlsby et al. 2019); "lora:4": low-rank updates of rank 4 (Hu et al. 2022);
            "bilstm:concat-last-4": a BiLSTM on vectors of the frozen body (Devlin et al. 2019, section 5.3),
            for tagging.
        task: gives the head and the number of labels.

    Raises:
        InputError: another word, or a BiLSTM for a task other than tagging.
    """
    kind, value = parsed(spec)
    if not kind:
        return task.head
    if kind != "bilstm":
        add: Any = add_adapters if kind == "adapters" else add_lora
        return lambda bert: task.head(add(bert, int(value)))
    if not isinstance(task, TaggingTask):
        raise InputError(
            f"a BiLSTM labels words, and this is {task.kind}; choose a tagging task, or leave it out"
        )
    return lambda bert: FrozenTagger(bert, len(task.tags), layers=value)


def parsed(spec: str) -> tuple[str, str]:
    """Return the two halves of what :func:`builder` reads; it takes no data to see that they are right.

    Raises:
        InputError: another word.
    """
    kind, _, value = spec.partition(":")
    sized = kind in ("adapters", "lora") and value.isdigit()
    if spec and not sized and not (kind == "bilstm" and value in LAYERS):
        raise InputError(
            f"no model is built from {spec!r}; expected 'adapters:SIZE', 'lora:RANK' or 'bilstm:' with one "
            f"of {', '.join(LAYERS)}"
        )
    if sized and not int(value):
        raise InputError(f"{spec}: the size is 0; expected at least 1")
    return kind, value
