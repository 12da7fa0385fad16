"""What a fine-tuning starts from: what was asked for, the examples, body and vocabulary."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from bertlib.device import pick_device
from bertlib.errors import CorpusError, InputError
from bertlib.finetune.formats import Columns, format_of, is_split, read_examples
from bertlib.finetune.splits import hold_out
from bertlib.finetune.task import Task
from bertlib.model import BertForPreTraining, BertModel
from bertlib.seeds import mix_seed, seeded
from bertlib.store import load_pretrained
from bertlib.tokenizer import WordPieceTokenizer


class Data(NamedTuple):
    """A task with examples to learn from and to mark."""

    task: Task
    train: list[Any]
    dev: list[Any]


class Start(NamedTuple):
    """Where fine-tuning begins."""

    body: BertModel
    tokenizer: WordPieceTokenizer


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be done.

    Attributes:
        name: of the task, a key of :data:`bertlib.finetune.formats.FORMATS`.
        out: folder of the fine-tuned model.
        data: folder, or the file to train on; None: the story world.
        dev: file or folder with held-out examples; None: found in ``data``, or set aside.
        columns: where things stand in the files.
        model: folder or name of the pre-trained model.
        scratch: forget its weights and begin with random ones.
        build: what is put on the body, see :func:`bertlib.finetune.builders.builder`.
        changes: fields of :class:`FineTuning` that differ from what suits the model.
        limit: train on so many examples only.
        hold_out: share set aside where there are no held-out examples.
        seeds: runs that differ in their seed alone; the best one is kept.
        search: recipes to try first; 0: none.
        method: of the search: grid, random or bayesian.
        device: where to train.
    """

    name: str
    out: Path
    data: Path | None = None
    dev: Path | None = None
    columns: Columns = field(default_factory=Columns)
    model: str = "mini-books"
    scratch: bool = False
    build: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    hold_out: float = 0.1
    seeds: int = 1
    search: int = 0
    method: str = "random"
    device: str = "auto"


def load_data(request: Request) -> Data:
    """Read what is to train on and what is held out, and make the task."""
    known, seed = format_of(request.name), int(request.changes.get("seed") or 0)
    train = read_examples(request.name, request.data, "train", request.columns)
    if train is None:
        raise CorpusError(f"{request.data} has no file to train on; name it, or put 'train' into its name")
    task = known.task(train, request.columns)  # with the labels of all of them, whatever the limit
    dev = dev_of(request)
    if dev is None:
        train, dev = hold_out(train, request.hold_out, seed)
    if request.limit is not None:
        if request.limit < 1:
            raise InputError(f"limit is {request.limit}; expected at least 1 example")
        random.Random(seed).shuffle(train)  # files are often sorted by label
        train = train[: request.limit]
    return Data(task, train, dev)


def dev_of(request: Request) -> list[Any] | None:
    """Return the held-out examples that are named, or lie beside those to train on; None: there are none."""
    if request.dev is None and request.data is not None and is_split(request.data):
        return None
    dev = read_examples(request.name, request.dev or request.data, "dev", request.columns)
    if dev is None and request.dev is not None:
        raise CorpusError(f"{request.dev} has no held-out file; name it, or put 'dev' into its name")
    return dev


def load_start(request: Request) -> Start:
    """Return body and vocabulary, with random weights if that is asked for."""
    model, tokenizer = load_pretrained(request.model)
    if request.scratch:
        seed = int(request.changes.get("seed") or 0)
        return Start(random_body(model, seed), tokenizer)
    return Start(model.bert, tokenizer)


def random_body(model: BertForPreTraining, seed: int) -> BertModel:
    """Return a body of the same shape that has learned nothing."""
    with seeded(mix_seed(seed, 1), pick_device("cpu")):
        return BertModel(model.config)
